package source

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// maxRequests is how often one request is made before its failure stands.
const maxRequests = 5

// retryTransport makes a request again that the server couldn't answer now
// (429 and most of 5xx) or whose connection broke before an answer came. The
// last answer stands.
type retryTransport struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t retryTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	for n := 1; ; n++ {
		resp, err := t.base.RoundTrip(req)
		if n == maxRequests || !replayable(req) || !worthRetry(resp, err) {
			return resp, err
		}
		after, told := retryAfter(resp)
		if after > longestPause {
			return resp, err // a rate limit counted in hours is the user's to wait for
		}
		if resp != nil {
			discard(resp.Body)
		}
		if told {
			err = sleep(req.Context(), after)
		} else {
			err = pause(req.Context(), n)
		}
		if err != nil {
			return nil, err
		}
	}
}

// replayable says whether a request can be made twice.
func replayable(req *http.Request) bool {
	return req.Method == http.MethodGet || req.Method == http.MethodHead
}

// worthRetry says whether the answer, or the lack of one, may be another next
// time.
func worthRetry(resp *http.Response, err error) bool {
	if err != nil {
		return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
			errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter returns how long the server asks to be left alone (RFC 9110
// §10.2.3), if it does.
func retryAfter(resp *http.Response) (time.Duration, bool) {
	if resp == nil {
		return 0, false
	}
	h := resp.Header.Get("Retry-After")
	if s, err := strconv.ParseUint(h, 10, 31); err == nil {
		return time.Duration(s) * time.Second, true
	}
	if at, err := http.ParseTime(h); err == nil {
		return max(0, time.Until(at)), true
	}
	return 0, false
}

// discard reads what little there may be of an answer nobody wants, so that its
// connection can be used again.
func discard(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 64<<10)
	_ = body.Close()
}
