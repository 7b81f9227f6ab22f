package main

// The usage texts. They are written by hand: what cobra makes of flags says
// less in more lines. A test holds them to the flags that there are.

const rootUsage = `Usage:
    layerscope [FLAGS] IMAGE               look around in the image
    layerscope report [FLAGS] IMAGE        write where its bytes are
    layerscope waste [FLAGS] IMAGE         write what it could do without
    layerscope tree [FLAGS] IMAGE          list its files
    layerscope packages [FLAGS] IMAGE      write what its packages take
    layerscope cat [FLAGS] IMAGE PATH      write one of its files
    layerscope check [FLAGS] IMAGE         hold it to limits, for CI
    layerscope diff [FLAGS] OLD NEW        write what differs between two
    layerscope cascade [FLAGS] [CONTEXT]   tell what a build runs again
    layerscope stages [FLAGS] [CONTEXT]    tell what build stages leave behind
    layerscope demo                        look around in a demo image
    layerscope version
    layerscope completion bash|zsh|fish|powershell

Shows where the bytes of a container image are: every instruction with its
bytes and the files behind them. Where no terminal is at both ends it writes
the report.

IMAGE is a file or directory if there is one of that name, else an image of
the Docker daemon, else one in a registry. To say which:
    docker://NAME          an image of the daemon
    registry://NAME        an image in a registry
    docker-archive:FILE    what docker save writes; may be compressed
    oci-archive:FILE       a tar of an OCI layout; may be compressed
    oci:DIR[:TAG]          an OCI layout
    -                      an archive on standard input

Which image:
    --platform OS/ARCH[/VARIANT]  of an image for several platforms
    --tag TAG                     of an archive that holds several images
    --pull                        have the daemon pull what it hasn't got
    -H, --host ADDRESS            the daemon to ask
    --context NAME                the docker context to use
    --insecure                    registry: accept plain HTTP, any certificate
    --max-layer-size SIZE         give up on a layer that unpacks to more

    --base IMAGE                  the image it was built on, to tell its bytes
                                  from the image's own (of report, waste and
                                  check too, of no other command)

How it looks:
    --bytes                       integers of bytes instead of kB, MB, GB
    --ascii                       nothing but ASCII
    --no-tui                      write the report even to a terminal
    --mouse=false                 leave the mouse to the terminal
    --no-progress                 don't show progress

Examples:
    layerscope nginx:latest
    layerscope --platform linux/arm64 registry://ghcr.io/org/app:1.2
    docker save app | layerscope -
    layerscope report app.tar --format json | jq .totals

"layerscope COMMAND --help" tells more.
`

const reportUsage = `Usage:
    layerscope report [FLAGS] IMAGE

Writes where the bytes of an image are: its totals, every step with the bytes
that it stored and how many of them the final image can't reach (dead), the
largest files, and what the image could do without.

    --format text|json|markdown|sarif
                           text to read (default), JSON (docs/json.md), a
                           summary to comment on a pull request with, or
                           findings for code scanning (docs/sarif.md)
    --base IMAGE           the image it was built on, to tell its bytes from the
                           image's own; else looked for (docs/usage.md)
    -f, --file DOCKERFILE  the Dockerfile that the image was built from, to
                           tell the lines of steps and findings
    --target STAGE         the stage of it that was built, if not the last

And the flags of "layerscope --help".

Examples:
    layerscope report app:latest
    layerscope report -f Dockerfile --format sarif app:latest
    layerscope report --format json app.tar | jq '.steps[] | [.stored, .text]'
`

const wasteUsage = `Usage:
    layerscope waste [FLAGS] IMAGE

Writes what an image could do without: bytes that are dead, by reason and by
the steps that wrote and killed them; files that images rarely need, with what
to do about them; duplicates; and secrets that aren't gone.

    --all                  every file, not only the largest
    --format text|json     text to read (default), or JSON (docs/json.md)
    --base, --file, --target
                           as for layerscope report

And the flags of "layerscope --help".

Examples:
    layerscope waste app:latest
    layerscope waste --format json app.tar | jq -r '.waste.files[].path'
`

const treeUsage = `Usage:
    layerscope tree [FLAGS] IMAGE

Lists the files of an image with their bytes and the step that wrote them. A
directory's bytes are those of all below it.

    --step N               the image as of step N of the report
    --changes              with --step: what that step added (+), changed (~)
                           and removed (-)
    --path PATH            list only what is at PATH and below it
    --depth N              list N levels; what is deeper still counts
    --sort name|size       by name (default), or the largest first
    --format text|json     text to read (default), or JSON (docs/json.md)

And the flags of "layerscope --help".

Examples:
    layerscope tree --depth 2 --sort size app:latest
    layerscope tree --step 5 --changes app:latest
    layerscope tree --path /usr/lib --format json app:latest
`

const packagesUsage = `Usage:
    layerscope packages [FLAGS] IMAGE

Writes what each installed package takes of the image, the most bytes first,
with the step that installed it: packages of dpkg, apk and rpm, of npm, Python
and Ruby, and Go programs. What no package owns is a row of its own, so that
the rows add up to the live bytes.

    --all                  list all packages, not just the first 30
    --format text|json     text to read (default), or JSON (docs/json.md),
                           which always has all

And the flags of "layerscope --help".

Examples:
    layerscope packages app:latest
    layerscope packages --format json app.tar | jq '.packages[:5]'
`

const catUsage = `Usage:
    layerscope cat [FLAGS] IMAGE PATH

Writes the bytes of one file of an image. Symbolic links are followed within
the image. To a terminal it writes only text that does no harm there.

    --step N               the file as of step N of the report
    --force                write anything to a terminal

And the flags of "layerscope --help".

Examples:
    layerscope cat app:latest /etc/os-release
    layerscope cat --step 3 app:latest /etc/app.conf | diff - app.conf
`

const checkUsage = `Usage:
    layerscope check [FLAGS] IMAGE

Holds an image to limits and writes the report with what came of them. Exits
with 0 if the image passes, 1 if it fails, 2 if something went wrong. A rule
without a limit is off.

Fails if there is
    --max-size SIZE              more stored
    --max-dead SIZE              more that the final image can't reach (dead)
    --max-dead-percent PERCENT   a larger part of what is stored dead
    --min-efficiency SHARE       a smaller part of it live: 0.95 or 95%
    --max-layers N               a layer more
    --max-disposable SIZE        more in files that images rarely need
    --max-duplicates SIZE        more in files that are there twice
    --max-leaks N                more secrets in deleted files and the history
    --forbid GLOB                such a path; may be repeated
    --warn-size, --warn-dead, --warn-dead-percent, --warn-efficiency,
    --warn-layers, --warn-disposable, --warn-duplicates, --warn-leaks,
    --warn-forbid                the same, but warns and passes

What counts:
    --own                        only what doesn't come from the base image
    --ignore GLOB                not such a path and what is below it; may be
                                 repeated

    --config FILE                limits to begin with; else .layerscope.yaml
                                 of this folder, else its .dive-ci. Flags stand
                                 over them, and "off" turns a rule off
    --base IMAGE, -f, --file DOCKERFILE, --target STAGE,
    --format text|json|markdown|sarif
                                 as for layerscope report

And the flags of "layerscope --help". docs/ci.md tells more.

Examples:
    layerscope check --max-size 300MB --max-dead-percent 5 app:latest
    layerscope check --max-leaks 0 --forbid .git --forbid '*.map' app.tar
    layerscope check --config ci/limits.yaml --own --format json app:latest
`

const diffUsage = `Usage:
    layerscope diff [FLAGS] OLD NEW

Writes what differs between two images: by how much NEW is larger or smaller
and why; what a host that has OLD fetches for NEW; layers, steps, directories,
files, packages and config. The causes, the layers, the steps, the paths and the
packages each add up to the difference exactly.

    --all                  lists without limits, and steps that are the same
    --strict               files that differ in their times alone differ
    --layers-only          compare only the layers that the manifests name: of
                           images in registries none is fetched
    --budget SIZE          exit with 1 if NEW stores more than SIZE over OLD:
                           5MB or +5MB; -1MB if it must store that much less
    --exit-code            exit with 1 if they differ, with 0 if they are the
                           same
    --old-platform OS/ARCH[/VARIANT], --old-tag TAG
                           --platform and --tag of OLD, where it is otherwise
                           than NEW
    --format text|json|markdown
                           text to read (default), JSON (docs/json.md), or a
                           comment on a pull request

And the flags of "layerscope --help", which are for both images.
docs/diff.md tells more.

Examples:
    layerscope diff app:1.4 app:1.5
    layerscope diff --layers-only registry://org/app:1.4 registry://org/app:1.5
    layerscope diff --budget 5MB --format markdown app:main app:ci
`

const demoUsage = `Usage:
    layerscope demo [FLAGS]

Looks around in a demo image, made up on the spot: a small web application
whose Dockerfile does what Dockerfiles shouldn't.

    --save DIR             write the image (image.tar), its Dockerfile and its
                           build context to the new folder DIR instead

And the flags of "layerscope --help".

Examples:
    layerscope demo
    layerscope demo --save herbarium && layerscope tree herbarium/image.tar
`

const versionUsage = `Usage:
    layerscope version
`

const completionUsage = `Usage:
    layerscope completion bash|zsh|fish|powershell

Writes what the shell has to read to complete layerscope's commands, flags and
images.

Examples:
    source <(layerscope completion bash)
    layerscope completion fish > ~/.config/fish/completions/layerscope.fish
`

const cascadeUsage = `Usage:
    layerscope cascade [FLAGS] [CONTEXT]

Tells what a build of the directory CONTEXT (default: this one) runs again
because of a change, before anything is built; without a change, what an edit
of each line would make run again. CONTEXT - is a Dockerfile on standard input.

The build, as builders are told it:
    -f, --build-file FILE        the Dockerfile, if not CONTEXT/Dockerfile; -
                                 is standard input
    --builder buildkit|classic|buildah
                                 whose rules count (default: buildkit)
    --target STAGE, --platform OS/ARCH, --build-arg NAME[=VALUE],
    --build-context NAME=VALUE, --no-cache-filter STAGE
    --no-context                 don't look at the files of the context

The change; several are one change:
    --line N[-M][,...]           these lines are edited, however
    --dockerfile EDITED          the Dockerfile becomes this one
    --file GLOB                  files of the context change, or a new one is
                                 there
    --git REV[..REV]             what changed since a revision, or between two
    --arg NAME=VALUE             a build argument gets another value
    --base IMAGE                 the digest of a base image has moved

What is known of it:
    --same PATH|STAGE, --differs PATH|STAGE
                                 what is read there comes out the same if it
                                 is built again, or different
    --image IMAGE                the image that was built, for bytes
    --log FILE                   a log of the build, for times: rawjson, plain,
                                 or what docker buildx history export writes
    --offline                    ask neither daemon nor registry about bases

How it is told:
    --files                      which files of the context each instruction
                                 takes, and which none does
    --format text|json|markdown|dot
                                 text to read (default), JSON (docs/json.md), a
                                 comment on a pull request, a graph

And the flags of "layerscope --help". docs/cascade.md tells more.

Examples:
    layerscope cascade
    layerscope cascade --line 12 --image app:latest --log build.log
    layerscope cascade --git main --format markdown
    layerscope cascade --file package.json --same /app/dist
`

const stagesUsage = `Usage:
    layerscope stages [FLAGS] [CONTEXT] [-- ARGS]

Tells what each stage of a Dockerfile stores, what the other stages take of it,
and what it leaves behind, by cause. It has docker build the stages, of the
directory CONTEXT (default: this one), and removes their images afterwards.

    -f, --file DOCKERFILE        the Dockerfile, if not CONTEXT/Dockerfile; -
                                 is standard input
    --target STAGE               the stage that is built for, if not the last;
                                 only the stages that it needs are built
    --build-arg NAME[=VALUE]     a build argument
    ARGS                         more arguments for docker build, as for
                                 secrets
    --keep                       keep the images that are built
    --image STAGE=REF            an image of a stage, by its name or number, to
                                 take as it is; may be repeated. Then nothing
                                 is built, and stages without one aren't known
    --format text|json           text to read (default), or JSON (docs/json.md)

And the flags of "layerscope --help"; --platform and --pull are docker build's
too. docs/stages.md tells more.

Examples:
    layerscope stages
    layerscope stages -f deploy/Dockerfile --target api .
    layerscope stages --image build=app:build --image run=app:latest
`
