// Package content holds analyze/buildcontext against BuildKit itself: a context
// is sent as BuildKit's client sends it, received as its daemon does, and what a
// COPY selects of it is hashed by its own content hash.
package content
