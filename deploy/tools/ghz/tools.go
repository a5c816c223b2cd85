//go:build tools

// Package tools names ghz, which calls a gRPC service as fast as it answers.
package tools

import _ "github.com/bojand/ghz/cmd/ghz"
