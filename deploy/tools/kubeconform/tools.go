//go:build tools

// Package tools names kubeconform, which holds manifests against schemas.
package tools

import _ "github.com/yannh/kubeconform/cmd/kubeconform"
