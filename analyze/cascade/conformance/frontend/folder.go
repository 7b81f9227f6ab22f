package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/moby/buildkit/cache"
	"github.com/moby/buildkit/cache/contenthash"
	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/snapshot"
	"github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/worker"
	digest "github.com/opencontainers/go-digest"
	"github.com/tonistiigi/fsutil"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// Folder is a context's folder, which doesn't change any more.
type Folder struct {
	dir   string
	mu    sync.Mutex
	trees map[string]*tree // by what is sent of it
}

// NewFolder returns the folder at a path.
func NewFolder(dir string) *Folder { return &Folder{dir: dir, trees: map[string]*tree{}} }

// tree is what of a folder is sent to the builder, hashed as it is there.
type tree struct {
	ref *snapshotRef
}

// snapshotRef is a snapshot that has nothing but its content hash.
type snapshotRef struct {
	cache.ImmutableRef // nil: nothing else is asked for
	id                 string
	mu                 sync.Mutex
	hashes             map[string][]byte
}

func (r *snapshotRef) ID() string                                 { return r.id }
func (r *snapshotRef) GetEqualMutable() (cache.RefMetadata, bool) { return nil, false }

func (r *snapshotRef) GetExternal(key string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if text, ok := r.hashes[key]; ok {
		return text, nil
	}
	return nil, fs.ErrNotExist
}

func (r *snapshotRef) SetExternal(key string, text []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hashes[key] = text
	return nil
}

func (r *snapshotRef) Mount(context.Context, bool, session.Group) (snapshot.Mountable, error) {
	return nil, errors.New("all files have been hashed")
}

// tree returns what is sent of a folder through a filter.
func (f *Folder) tree(ctx context.Context, filter json.RawMessage) (*tree, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t, ok := f.trees[string(filter)]; ok {
		return t, nil
	}
	t, err := newTree(ctx, f.dir, filter)
	if err != nil {
		return nil, fmt.Errorf("hashing %s: %w", f.dir, err)
	}
	f.trees[string(filter)] = t
	return t, nil
}

// newTree hashes a folder's files as they come to the builder: nobody's, and
// those that the filter keeps.
func newTree(ctx context.Context, dir string, filter json.RawMessage) (*tree, error) {
	var texts []string
	if err := json.Unmarshal(filter, &texts); err != nil {
		return nil, err
	}
	var lists [3][]string
	for i, text := range texts {
		if text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(text), &lists[i]); err != nil {
			return nil, err
		}
	}
	sent, err := fsutil.NewFS(dir)
	if err != nil {
		return nil, err
	}
	sent, err = fsutil.NewFilterFS(sent, &fsutil.FilterOpt{IncludePatterns: lists[0], ExcludePatterns: lists[1], FollowPaths: lists[2]})
	if err != nil {
		return nil, err
	}
	t := &tree{&snapshotRef{id: identity.NewID(), hashes: map[string][]byte{}}}
	hashes, err := contenthash.GetCacheContext(ctx, t.ref)
	if err != nil {
		return nil, err
	}
	err = sent.Walk(ctx, "", func(p string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		stat, ok := info.Sys().(*fstypes.Stat)
		if !ok {
			return fmt.Errorf("%s has no stat", p)
		}
		stat = stat.CloneVT()
		stat.Uid, stat.Gid = 0, 0
		h, err := contenthash.NewFromStat(stat)
		if err != nil {
			return err
		}
		if info.Mode().IsRegular() && stat.Linkname == "" {
			if err := readInto(h, filepath.Join(dir, filepath.FromSlash(p))); err != nil {
				return err
			}
		}
		return hashes.HandleChange(fsutil.ChangeKindAdd, p, &hashed{info, stat, digest.NewDigestFromBytes(digest.SHA256, h.Sum(nil))}, nil)
	})
	if err != nil {
		return nil, err
	}
	return t, contenthash.SetCacheContext(ctx, t.ref, hashes)
}

func readInto(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// hashed is a file with its digest.
type hashed struct {
	os.FileInfo
	stat   *fstypes.Stat
	digest digest.Digest
}

func (h *hashed) Digest() digest.Digest { return h.digest }
func (h *hashed) Sys() any              { return h.stat }

// result is a snapshot as an operation's content hash wants it.
type result struct {
	solver.Result // nil: nothing else is asked for
	ref           *worker.WorkerRef
}

func (r result) Sys() any { return r.ref }

// nobody is the worker that a snapshot is of, which errors name.
type nobody struct{ worker.Worker }

func (nobody) ID() string { return "nobody" }

// read returns the digest of what an input reads of a context's folder. There
// is an error if there is nothing to read, of which a build fails.
func (in *Input) read(ctx context.Context) (digest.Digest, error) {
	t, err := in.From.folder.tree(ctx, in.From.filter)
	if err != nil {
		return "", err
	}
	if sum, ok := in.sum[t]; ok {
		return sum, nil
	}
	sum, err := in.hash(ctx, result{ref: &worker.WorkerRef{ImmutableRef: t.ref, Worker: nobody{}}}, nil)
	if err == nil {
		in.sum[t] = sum
	}
	return sum, err
}
