package cascade

import (
	"context"
	"fmt"
	"testing"

	"github.com/layerscope/layerscope/analyze/dockerfile"
)

func TestSmoke(t *testing.T) {
	f, err := dockerfile.Parse("Dockerfile", []byte(`# syntax=docker/dockerfile:1
ARG V=20
FROM node:$V AS deps
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci
FROM deps AS build
ENV MODE=production
COPY . .
RUN npm run build
FROM nginx
LABEL a=b
COPY --from=build /app/dist /usr/share/nginx/html
COPY --link x /y
RUN nginx -t
`))
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range g.Nodes {
		fmt.Println(n.ID, n.Kind, n.Label, n.Stage, n.Parts)
		for _, e := range n.In {
			fmt.Println("     ", e.From.ID, e.Role, e.Selector, e.Content)
		}
	}
	for _, n := range g.Notes {
		fmt.Println(n)
	}
	b := Build{Graph: g}
	ims, err := Impacts(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	for _, im := range ims {
		p, err := Predict(context.Background(), b, []Build{b}, Assume{Steps: []int{im.Step.Index}})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(im.Step.Lines, im.Step.Text, im.Counts)
		for i, v := range p.Steps {
			if v.State != im.States[i] {
				t.Errorf("%v %v", v, im.States[i])
			}
			if v.Cause != nil {
				fmt.Println("    ", v.Step.Lines, v.Step.Text, v.State, p.Why(v))
			}
		}
	}
}
