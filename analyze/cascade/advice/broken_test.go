package advice

import (
	"slices"
	"strings"
	"testing"

	"github.com/layerscope/layerscope/analyze/buildcontext"
	"github.com/layerscope/layerscope/analyze/cascade"
	"github.com/layerscope/layerscope/analyze/dockerfile"
)

// halfTyped are Dockerfiles with instructions that can't be read.
var halfTyped = []string{
	"FROM a\nRUN --newflag=1 npm ci\n",
	"FROM a\nWORKDIR /w\nCOPY . .\nRUN --newflag=1 npm ci\nRUN npm ci\nRUN go mod download\n",
	"FROM golang\nRUN go mod download\nRUN --mount=tpye=cache go build\n",
	"FROM a\nARG GIT_SHA\nWORKDIR /w/\nRUN --mount\nRUN apk add git\n",
	"FROM a\nWORKDIR /w/\nRUN --newflag=1 apk add git\nCOPY . .\nRUN npm ci\n",
	"FROM a\nCOPY --x . .\nRUN npm ci\n",
	"FROM a\nARG\nENV\nWORKDIR\nCOPY\nADD .\nRUN\nLABEL a\nUSER\nONBUILD\nSHELL x\nRUN npm ci\n",
	"FROM a AS b\nRUN --x npm ci\nFROM b\nCOPY --from=b /x /usr/local/bin/x\nCOPY . .\nRUN npm ci\n",
}

// whole is a Dockerfile with what the rules look at; it is cut off at each byte.
const whole = `# syntax=docker/dockerfile:1.7
ARG NODE=22
FROM --platform=$BUILDPLATFORM node:$NODE AS build
ARG GIT_SHA=x TARGETARCH
LABEL v=$GIT_SHA
WORKDIR /app/
RUN apk add --no-cache git
COPY --chown=1:1 . .
RUN --mount=type=cache,target=/c \
  npm ci && "x y"
RUN <<E
npm run build
E
FROM golang AS go
RUN ["go", "mod", "download"]
RUN go build
FROM nginx
COPY --from=build --link /app/dist/ /usr/share/nginx/html/
COPY --from=go /x /usr/local/bin/
CMD ["x"]
`

// TestBroken looks over files that someone is still typing.
func TestBroken(t *testing.T) {
	files := node(".dockerignore=x\n", "go.mod=module x", "main.go", "README.md", "node_modules/x")
	for _, builder := range cascade.Builders() {
		whole := whole
		if builder == cascade.Classic { // which has none of these
			whole = strings.NewReplacer(" --platform=$BUILDPLATFORM", "", " --link", "", "--mount=type=cache,target=/c ", "", " <<E\nnpm run build\nE", " npm run build").Replace(whole)
		}
		texts := slices.Clone(halfTyped)
		for i := range len(whole) {
			texts = append(texts, whole[:i])
		}
		looked := 0
		for _, text := range texts {
			f, err := dockerfile.ParseEdited("Dockerfile", []byte(text))
			if err != nil {
				continue
			}
			g, err := cascade.New(f, cascade.Options{Builder: builder})
			if err != nil {
				continue
			}
			looked++
			files["Dockerfile"] = text
			tree, disk := contextOf(files)
			b := cascade.Build{Graph: g, Contexts: map[string]*buildcontext.Tree{"": tree}, Dockerfile: "Dockerfile"}
			all, err := Find(t.Context(), b, nil, disk)
			if err != nil {
				t.Errorf("%s: %q: %v", builder, text, err)
			}
			for _, one := range all {
				if one.Text == "" || one.Step < 0 || one.Step >= len(g.Steps) {
					t.Errorf("%s: %q: %+v", builder, text, one)
				}
			}
		}
		if looked < len(whole)/2 {
			t.Errorf("%s takes %d of %d files", builder, looked, len(texts))
		}
	}
}
