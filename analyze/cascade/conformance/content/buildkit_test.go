package content

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/moby/buildkit/cache"
	"github.com/moby/buildkit/cache/contenthash"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/snapshot"
	"github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/solver/llbsolver/ops"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/worker"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/moby/sys/user"
	"github.com/tonistiigi/fsutil"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/layerscope/layerscope/analyze/buildcontext"
)

// received is a local source of BuildKit's: the files that its daemon has of a
// context, and what it knows of their hashes.
type received struct {
	cache.ImmutableRef // nil: the calls below are all that hashing makes

	id       string
	dir      string
	external map[string][]byte
}

func (r *received) ID() string                                 { return r.id }
func (r *received) GetEqualMutable() (cache.RefMetadata, bool) { return nil, false }
func (r *received) SetExternal(key string, value []byte) error { r.external[key] = value; return nil }
func (r *received) IdentityMapping() *user.IdentityMapping     { return nil }
func (r *received) GetExternal(key string) ([]byte, error) {
	if v, ok := r.external[key]; ok {
		return v, nil
	}
	return nil, fmt.Errorf("no %s", key)
}

func (r *received) Mount(context.Context, bool, session.Group) (snapshot.Mountable, error) {
	return mounted(r.dir), nil
}

type mounted string

func (m mounted) IdentityMapping() *user.IdentityMapping { return nil }
func (m mounted) Mount() ([]mount.Mount, func() error, error) {
	return []mount.Mount{{Type: "bind", Source: string(m), Options: []string{"rbind"}}}, func() error { return nil }, nil
}

// receive sends a directory as the client of a build does (client/solve.go,
// session/filesync) and takes it as source/local does.
func (r *received) receive(ctx context.Context, dir, dockerfile string) error {
	excludes, err := excludes(dir, dockerfile)
	if err != nil {
		return err
	}
	fs, err := fsutil.NewFS(dir)
	if err != nil {
		return err
	}
	fs, err = fsutil.NewFilterFS(fs, &fsutil.FilterOpt{Map: func(_ string, st *fstypes.Stat) fsutil.MapResult {
		st.Uid, st.Gid = 0, 0
		return fsutil.MapResultKeep
	}})
	if err != nil {
		return err
	}
	if fs, err = fsutil.NewFilterFS(fs, &fsutil.FilterOpt{ExcludePatterns: excludes}); err != nil {
		return err
	}
	cc, err := contenthash.GetCacheContext(ctx, r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	there, here := make(chan []byte, 32), make(chan []byte, 32)
	sent := make(chan error, 1)
	go func() {
		err := fsutil.Send(ctx, &stream{ctx, here, there}, fs, nil)
		close(there)
		sent <- err
	}()
	err = fsutil.Receive(ctx, &stream{ctx, there, here}, r.dir, fsutil.ReceiveOpt{
		NotifyHashed:  cc.HandleChange,
		ContentHasher: contenthash.NewFromStat,
	})
	if err != nil {
		cancel()
	}
	if sendErr := <-sent; sendErr != nil && err == nil {
		err = sendErr
	}
	if err != nil {
		return err
	}
	return contenthash.SetCacheContext(ctx, r, cc)
}

// excludes reads a .dockerignore as frontend/dockerui does.
func excludes(dir, dockerfile string) ([]string, error) {
	f, err := os.Open(dockerfile + ".dockerignore")
	if dockerfile == "" || err != nil {
		f, err = os.Open(filepath.Join(dir, ".dockerignore"))
	}
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	return ignorefile.ReadAll(f)
}

// stream is a connection of fsutil's protocol.
type stream struct {
	ctx      context.Context
	from, to chan []byte
}

func (s *stream) Context() context.Context { return s.ctx }

func (s *stream) RecvMsg(m any) error {
	select {
	case <-s.ctx.Done():
		return s.ctx.Err()
	case data, ok := <-s.from:
		if !ok {
			return io.EOF
		}
		return m.(*fstypes.Packet).Unmarshal(data)
	}
}

func (s *stream) SendMsg(m any) error {
	data, err := m.(*fstypes.Packet).Marshal()
	if err != nil {
		return err
	}
	select {
	case <-s.ctx.Done():
		return s.ctx.Err()
	case s.to <- data:
		return nil
	}
}

// digest hashes what a COPY of these sources takes, by the function that
// BuildKit's file op gives its solver.
func (r *received) digest(ctx context.Context, sels []buildcontext.Selection) (string, error) {
	var actions []*pb.FileAction
	for _, s := range sels {
		if s.Wildcard != isPattern(s.Path) {
			return "", fmt.Errorf("no COPY selects %+v", s)
		}
		actions = append(actions, &pb.FileAction{SecondaryInput: 1, Action: &pb.FileAction_Copy{Copy: &pb.FileActionCopy{
			Src: s.Path, AllowWildcard: s.Wildcard, FollowSymlink: s.FollowLinks,
			IncludePatterns: s.Include, ExcludePatterns: s.Exclude, RequiredPaths: s.Required,
		}}})
	}
	op, err := ops.NewFileOp(vertex{}, &pb.Op_File{File: &pb.FileOp{Actions: actions}}, nil, nil, nil)
	if err != nil {
		return "", err
	}
	m, _, err := op.CacheMap(ctx, nil, 0)
	if err != nil {
		return "", err
	}
	d, err := m.Deps[1].ComputeDigestFunc(ctx, result{&worker.WorkerRef{ImmutableRef: r, Worker: anyWorker{}}}, nil)
	return string(d), err
}

// vertex is a file op with two inputs.
type vertex struct{ solver.Vertex }

func (vertex) Name() string          { return "copy" }
func (vertex) Inputs() []solver.Edge { return make([]solver.Edge, 2) }

type anyWorker struct{ worker.Worker }

func (anyWorker) ID() string { return "worker" }

type result struct{ ref *worker.WorkerRef }

func (result) ID() string                    { return "result" }
func (result) Release(context.Context) error { return nil }
func (r result) Sys() any                    { return r.ref }
func (r result) Clone() solver.Result        { return r }
