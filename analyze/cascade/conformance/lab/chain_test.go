//go:build linux

package lab

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/layerscope/layerscope/analyze/cascade/conformance/record"
)

// at is a place in the output of a chain builder.
func at(stage string, index int) record.Place { return record.Place{Stage: stage, Index: index} }

func TestParseClassic(t *testing.T) {
	const id = " ---> 0123456789ab\n"
	for name, tt := range map[string]struct {
		out  string
		want record.Seen
	}{
		"nothing": {"Sending build context to Docker daemon  2.048kB\r\r\n", record.Seen{}},
		"two stages": {
			"Step 1/6 : ARG V=1\nStep 2/6 : FROM alpine AS b\n" + id +
				"Step 3/6 : RUN a\n ---> Using cache\n" + id +
				"Step 4/6 : COPY a b\n" + id +
				"Step 5/6 : from alpine\n" + id +
				"Step 6/6 : CMD [\"sh\"]\n ---> Running in 0123456789ab\nRemoving intermediate container 0123456789ab\n" + id + "Successfully built 0123456789ab\n",
			record.Seen{at("1", 2): record.Cached, at("1", 3): record.Ran, at("2", 2): record.Ran},
		},
		"a scratch": {"Step 1/2 : FROM scratch\n ---> \nStep 2/2 : COPY a b\n ---> Using cache\n" + id, record.Seen{at("1", 2): record.Cached}},
		"triggers": {
			"Step 1/2 : FROM a\n# Executing 3 build triggers\n ---> Using cache\n ---> Running in 0123456789ab\nStep\nRemoving intermediate container 0123456789ab\n" + id +
				"Step 2/2 : RUN b\n ---> Using cache\n" + id,
			record.Seen{at("1", 2): record.Cached, at("1", 3): record.Ran, at("1", 4): record.Ran, at("1", 5): record.Cached},
		},
		"one trigger": {"Step 1/1 : FROM a\n# Executing 1 build trigger\n ---> Using cache\n" + id, record.Seen{at("1", 2): record.Cached}},
		"a failure": {
			"Step 1/3 : FROM a\n" + id + "Step 2/3 : RUN b\n ---> Using cache\n" + id + "Step 3/3 : RUN c\n ---> Running in 0123456789ab\nThe command returned a non-zero code: 1\n",
			record.Seen{at("1", 2): record.Cached},
		},
		"colours": {
			"\x1b[91m[WARNING]: Empty continuation line\n\x1b[0mStep 1/2 : FROM a\n" + id + "Step 2/2 : RUN b\n ---> Running in 0123456789ab\n\x1b[91moops\x1b[0mRemoving intermediate container 0123456789ab\n" + id,
			record.Seen{at("1", 2): record.Ran},
		},
	} {
		if diff := cmp.Diff(tt.want, parseClassic(tt.out)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestParseBuildah(t *testing.T) {
	const done = "--> 0123456789a\n"
	const uses = "--> Using cache 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n" + done
	for name, tt := range map[string]struct {
		out  string
		want record.Seen
	}{
		"nothing":   {"Error: no such file\n", record.Seen{}},
		"one stage": {"STEP 1/3: FROM a\nSTEP 2/3: RUN b\nb\n" + uses + "STEP 3/3: CMD c\nCOMMIT\n" + done, record.Seen{at("1", 2): record.Cached, at("1", 3): record.Ran}},
		"two stages": {
			"[1/2] STEP 1/2: FROM a AS x\n[1/2] STEP 2/2: RUN b\n" + done + "[2/2] STEP 1/2: FROM a\n[2/2] STEP 2/2: RUN b\n" + uses,
			record.Seen{at("1", 2): record.Ran, at("2", 2): record.Cached},
		},
		"a stage that waits while another runs": {
			"[1/3] STEP 1/2: FROM a\n[1/3] STEP 2/2: RUN b\n" + done +
				"[2/3] STEP 1/3: FROM a\n[2/3] STEP 2/3: COPY --from=0 b b\n" +
				"[3/3] STEP 1/2: FROM a\n[3/3] STEP 2/2: RUN c\n" + uses + done +
				"[2/3] STEP 3/3: RUN d\n" + done,
			record.Seen{at("1", 2): record.Ran, at("2", 2): record.Skipped, at("3", 2): record.Skipped, at("2", 3): record.Skipped},
		},
		"a failure": {"STEP 1/3: FROM a\nSTEP 2/3: RUN b\n" + uses + "STEP 3/3: RUN c\nError: building at STEP \"RUN c\": exit status 1\n", record.Seen{at("1", 2): record.Cached}},
	} {
		if diff := cmp.Diff(tt.want, parseBuildah(tt.out)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}
