package source

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// registryError says which image err is about. A cancelled read is not the
// registry's fault.
func registryError(doing, imageName string, err error) error {
	if isCancelled(err) {
		return err
	}
	return fmt.Errorf("%s %q in the registry: %w", doing, imageName, err)
}

// explain says why a request failed and what can be done. It leaves URLs out:
// they may hold tokens, as those of blobs kept in object stores do.
func explain(err error, reg name.Registry) error {
	var status *transport.Error
	var urlErr *url.Error
	var untrusted *tls.CertificateVerificationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &untrusted):
		// Where plain HTTP was tried as well, this is still the reason.
		host := reg.RegistryStr()
		return &HintError{
			Err:  fmt.Errorf("connecting to %s: %w", host, untrusted),
			Hint: "use --insecure if " + host + " is to be trusted with any certificate",
		}
	case errors.As(err, &status):
		return statusError(status, reg)
	case reg.Scheme() == "http" && (errors.Is(err, http.ErrSchemeMismatch) || errors.Is(err, errPlainHTTP)):
		// HTTPS was tried and then HTTP: the error is of both, and the
		// URLs are the registry's root.
		return connectionError(err, reg)
	case errors.As(err, &urlErr):
		return connectionError(urlErr.Err, reg)
	}
	return err
}

// notFound adds a hint to the error for a manifest that isn't there.
func notFound(err, cause error) error {
	var status *transport.Error
	if errors.As(cause, &status) && status.StatusCode == http.StatusNotFound {
		return &HintError{err, "check the name and the tag"}
	}
	return err
}

// statusError explains an HTTP status.
func statusError(e *transport.Error, reg name.Registry) error {
	err := fmt.Errorf("%s answers %d %s%s", reg.RegistryStr(), e.StatusCode, http.StatusText(e.StatusCode), diagnosis(e))
	switch e.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return &HintError{err, "docker login " + loginHost(reg) + ", if the image is there and private"}
	case http.StatusTooManyRequests:
		return &HintError{err, "wait, or docker login " + loginHost(reg) + " for a higher limit"}
	}
	return err
}

// diagnosis returns the first thing a registry says of a failure, as an
// addition to a sentence.
func diagnosis(e *transport.Error) string {
	if len(e.Errors) == 0 {
		return ""
	}
	d := e.Errors[0]
	if d.Message == "" {
		return fmt.Sprintf(" (%.100q)", string(d.Code))
	}
	return fmt.Sprintf(" (%.200q)", d.Message)
}

// loginHost returns what docker login calls a registry.
func loginHost(reg name.Registry) string {
	if reg.RegistryStr() == name.DefaultRegistry {
		return "docker.io"
	}
	return reg.RegistryStr()
}

// connectionError explains why there is no answer.
func connectionError(err error, reg name.Registry) error {
	host := reg.RegistryStr()
	err = fmt.Errorf("connecting to %s: %w", host, err)
	if reg.Scheme() == "https" && errors.Is(err, http.ErrSchemeMismatch) || errors.Is(err, errPlainHTTP) {
		return &HintError{err, "use --insecure if " + host + " is to be spoken to in plain HTTP"}
	}
	return &HintError{err, "check the registry's address and the network"}
}
