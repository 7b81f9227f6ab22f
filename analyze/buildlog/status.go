package buildlog

import (
	"encoding/binary"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers of the fields that are read of BuildKit's StatusResponse, Vertex
// and protobuf's Timestamp (BuildKit, api/services/control/control.proto). Its
// own package isn't linked: it comes with gRPC, for five megabytes.
const (
	statusVertexes = 1

	vertexDigest    = 1
	vertexInputs    = 2
	vertexName      = 3
	vertexCached    = 4
	vertexStarted   = 5
	vertexCompleted = 6
	vertexError     = 7

	timestampSeconds = 1
	timestampNanos   = 2
)

// status reads a status log: StatusResponses, each with its length in four bytes
// before it, the lowest first. It tells whether all of it could be read.
func (g *graph) status(rec *record, log []byte) (all bool, err error) {
	for len(log) > 0 {
		if len(log) < 4 {
			return false, nil
		}
		told := int64(binary.LittleEndian.Uint32(log))
		log = log[4:]
		n := min(told, int64(len(log))) // of one cut short, the vertices that are complete
		ok := fields(log[:n], func(f field) {
			if f.number != statusVertexes || f.bytes == nil || err != nil {
				return
			}
			if v, ok := parseVertex(f.bytes); ok {
				err = g.event(rec, v)
			}
		})
		if !ok || n < told || err != nil {
			return false, err
		}
		log = log[n:]
	}
	return true, nil
}

func parseVertex(b []byte) (*vertex, bool) {
	v := &vertex{}
	ok := fields(b, func(f field) {
		switch f.number {
		case vertexDigest:
			v.digest = string(f.bytes)
		case vertexInputs:
			v.inputs++
		case vertexName:
			v.name = string(f.bytes)
		case vertexCached:
			v.cached = f.varint != 0
		case vertexStarted:
			v.started = timestamp(f.bytes)
		case vertexCompleted:
			v.completed = timestamp(f.bytes)
		case vertexError:
			v.err = string(f.bytes)
		}
	})
	return v, ok
}

// timestamp reads a Timestamp; zero for one that is out of range.
func timestamp(b []byte) time.Time {
	var sec, nsec int64
	ok := fields(b, func(f field) {
		switch f.number {
		case timestampSeconds:
			sec = int64(f.varint)
		case timestampNanos:
			nsec = int64(f.varint)
		}
	})
	t := time.Unix(sec, nsec).UTC()
	if !ok || nsec < 0 || nsec >= int64(time.Second) || !inRange(t) {
		return time.Time{}
	}
	return t
}

// field is one of a message; bytes are nil if it is a number.
type field struct {
	number protowire.Number
	bytes  []byte
	varint uint64
}

// fields calls f with the fields of a message, and tells whether it is one.
func fields(b []byte, f func(field)) bool {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return false
		}
		b = b[n:]
		one := field{number: number}
		switch kind {
		case protowire.VarintType:
			one.varint, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			one.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return false
		}
		if b = b[n:]; kind == protowire.VarintType || kind == protowire.BytesType {
			f(one)
		}
	}
	return true
}
