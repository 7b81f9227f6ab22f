package main

// The usage texts. They are written by hand: what cobra makes of flags says
// less in more lines. A test holds them to the flags that there are.

const rootUsage = `Usage:
    layerscope [FLAGS] IMAGE               look around in the image
    layerscope report [FLAGS] IMAGE        write where its bytes are
    layerscope tree [FLAGS] IMAGE          list its files
    layerscope packages [FLAGS] IMAGE      write what its packages take
    layerscope cat [FLAGS] IMAGE PATH      write one of its files
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
that it stored and how many of them the final image can't reach (dead), and
the largest files.

    --format text|json     text to read (default), or JSON (docs/json.md)

And the flags of "layerscope --help".

Examples:
    layerscope report app:latest
    layerscope report --format json app.tar | jq '.steps[] | [.stored, .text]'
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
