//go:build tools

// Package tools names kustomize, which makes the manifests of an overlay.
package tools

import _ "sigs.k8s.io/kustomize/kustomize/v5"
