package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// decodeConfig parses an image's config. One whose times are none, such as ""
// where nothing is known, is parsed without them: engines take such images.
func decodeConfig(raw []byte) (*v1.ConfigFile, error) {
	if !isObject(raw) {
		return nil, errors.New("it is no JSON object")
	}
	if err := checkValues(raw); err != nil {
		return nil, err
	}
	c, err := v1.ParseConfigFile(bytes.NewReader(raw))
	if err == nil {
		return c, nil
	}
	without, ok := withoutBadTimes(raw)
	if !ok {
		return nil, err
	}
	if c, retryErr := v1.ParseConfigFile(bytes.NewReader(without)); retryErr == nil {
		return c, nil
	}
	return nil, err
}

// withoutBadTimes takes what isn't a time out of the created fields of a
// config and its history.
func withoutBadTimes(raw []byte) ([]byte, bool) {
	var config map[string]json.RawMessage
	if json.Unmarshal(raw, &config) != nil {
		return nil, false
	}
	dropBadTime(config)
	if h, ok := config["history"]; ok {
		var history []map[string]json.RawMessage
		if json.Unmarshal(h, &history) != nil {
			return nil, false
		}
		for _, record := range history {
			dropBadTime(record)
		}
		config["history"], _ = json.Marshal(history)
	}
	out, err := json.Marshal(config)
	return out, err == nil
}

func dropBadTime(object map[string]json.RawMessage) {
	var t time.Time
	if json.Unmarshal(object["created"], &t) != nil {
		delete(object, "created")
	}
}
