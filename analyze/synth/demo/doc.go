// Package demo is the image that layerscope demo shows: a small web
// application on Debian whose [Dockerfile] makes the mistakes that layerscope
// is for. The common call is [Open]; [Image] is the image as [synth] has it.
//
// The story, step by step. Dead bytes are what the step stored and a later one
// killed, in bytes; the layers of steps with none are left out or say so.
//
//	step layer what happens                                    dead bytes
//	   0     0 debian:bookworm-slim, with hard-linked names       136,142
//	   1     - CMD, the last of the base
//	 2-4     - ARG, LABEL, ENV: no layer
//	   5     1 apt-get install leaves lists, .deb files and     5,661,488
//	           apt's caches; overwrites dpkg's status
//	   6     2 a tarball is downloaded and unpacked             4,231,907
//	   7     3 the lists and the tarball are deleted: too late          0
//	   8     4 WORKDIR: two directories                                 0
//	   9     5 COPY requirements.txt                                   42
//	  10     6 pip install, with its cache                              0
//	  11     7 COPY . . takes .git and tests along; the same    4,785,703
//	           font, script and logo under several names
//	  12     8 chown -R writes all of it again                  2,232,124
//	  13     9 a config file is overwritten                             0
//	  14    10 static/ is removed and made anew (opaque)                0
//	  15    11 one of two names of perl is removed, which               0
//	           frees nothing; samples/ becomes a symlink
//	16-19     - USER, EXPOSE, ENTRYPOINT, CMD: no layer
//
// The same by layer, with the bytes dead by reason (design: the path's next
// state):
//
//	layer entries    stored      live overwritten rewritten  deleted replaced
//	    0     221  20239164  20103022      136072         0       70        0
//	    1     257  40341877  34680389           0         0  5661488        0
//	    2      14   8262704   4030797           0         0  4231907        0
//	    3      15         0         0           0         0        0        0
//	    4       2         0         0           0         0        0        0
//	    5       3        42         0           0        42        0        0
//	    6     160  11507643  11507643           0         0        0        0
//	    7      49   4785703         0           0   4785703        0        0
//	    8      53   4785950   2553826          84         0   452829  1779211
//	    9       3        93        93           0         0        0        0
//	   10      10    343189    343189           0         0        0        0
//	   11       6         0         0           0         0        0        0
//	  all     793  90266365  73218959      136156   4785745 10346294  1779211
//
// What dpkg and pip installed is in their databases, which are made of the files
// that the layers have: a package here is as small as its few files.
//
// Nothing of this is stored anywhere: bodies are made from a seed while a layer
// is read, and only the config and the manifest, which hold the digests, are
// kept beside the code. The base's history is debuerreotype's, the rest
// BuildKit's, line for line the Dockerfile's.
package demo
