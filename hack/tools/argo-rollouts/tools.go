//go:build tools

// Package tools names what is built here, so that `go mod tidy` keeps its
// module in go.mod. It is never compiled.
package tools

import (
	_ "github.com/argoproj/argo-rollouts/cmd/kubectl-argo-rollouts"
	_ "github.com/argoproj/argo-rollouts/cmd/rollouts-controller"
)
