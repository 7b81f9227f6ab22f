package cascade

import (
	"errors"

	"github.com/docker/go-connections/nat"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/sys/signal"
)

// checkSetting refuses what BuildKit does of instructions that change the
// image's configuration alone, once their variables are replaced.
func (s *plan) checkSetting(cmd instructions.Command, l *lookup) error {
	switch cmd := cmd.(type) {
	case *instructions.ExposeCommand:
		for _, text := range cmd.Ports {
			ports, err := s.lex.ProcessWords(text, l)
			if err != nil {
				return err
			}
			for _, p := range ports {
				if _, err := nat.ParsePortSpec(p); err != nil {
					return err
				}
			}
		}
	case *instructions.VolumeCommand:
		for _, v := range cmd.Volumes {
			if v == "" {
				return errors.New("VOLUME specified can not be an empty string")
			}
		}
	case *instructions.StopSignalCommand:
		_, err := signal.ParseSignal(cmd.Signal)
		return err
	}
	return nil
}
