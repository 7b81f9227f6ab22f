package buildlog

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// rawReader reads BuildKit's rawjson: a line for each client.SolveStatus.
type rawReader struct {
	rec    record
	graph  graph
	events int
}

// jsonStatus is a line; jsonVertexes takes the vertices one by one.
type jsonStatus struct {
	Vertexes jsonVertexes `json:"vertexes"`
}

type jsonVertexes struct{ add func(*vertex) error }

// jsonVertex is a client.Vertex.
type jsonVertex struct {
	Digest    string    `json:"digest"`
	Inputs    count     `json:"inputs"`
	Name      string    `json:"name"`
	Started   time.Time `json:"started"`
	Completed time.Time `json:"completed"`
	Cached    bool      `json:"cached"`
	Error     string    `json:"error"`
}

// count is how many elements a list has, or 1 for some.
type count int

func (c *count) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) > 2 && b[0] == '[' {
		*c = 1
	}
	return nil
}

func (j *jsonVertexes) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return err // null
	}
	for d.More() {
		var v jsonVertex
		if err := d.Decode(&v); err != nil {
			return err
		}
		e := vertex{digest: v.Digest, name: v.Name, err: v.Error, inputs: int(v.Inputs), cached: v.Cached}
		if inRange(v.Started) {
			e.started = v.Started
		}
		if inRange(v.Completed) {
			e.completed = v.Completed
		}
		if err := j.add(&e); err != nil {
			return err
		}
	}
	return nil
}

// keys are what a line may begin with.
var keys = []string{`{"vertexes":`, `{"statuses":`, `{"logs":`, `{"warnings":`}

func (r *rawReader) line(l line) error {
	if !strings.HasPrefix(l.text, "{") || !hasPrefix(l.text, keys) {
		return nil
	}
	if !strings.HasPrefix(l.text, keys[0]) {
		r.events++
		return nil
	}
	var full error
	s := jsonStatus{jsonVertexes{func(v *vertex) error {
		if r.graph.begins(v) {
			r.graph.flush(&r.rec)
		}
		full = r.graph.event(&r.rec, v)
		return full
	}}}
	err := json.Unmarshal([]byte(l.text), &s)
	if full != nil {
		return full
	}
	if err != nil {
		r.rec.log.Truncated = true
		return nil
	}
	r.events++
	return nil
}

func hasPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func (r *rawReader) finish() (*record, int) {
	r.graph.flush(&r.rec)
	r.rec.log.Resolution = 1
	return &r.rec, r.events
}
