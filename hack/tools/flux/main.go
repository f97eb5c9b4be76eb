// Command flux does what Flux's kustomize-controller does with objects, by Flux's own libraries.
//
//	flux health KUSTOMIZATION       {"status", "message"} for each object: by its healthCheckExprs where they name the kind, else by kstatus
//	flux apply NAME NAMESPACE       applies each object as the Kustomization of that name would, and says what was done: {"action", "error"}
//	flux wait KUSTOMIZATION SECONDS waits for the objects as a health check does; ends with 1 where they do not get there
//
// KUSTOMIZATION is a file with one, or - for none. Objects are JSON, one a line, on standard input. The cluster is that of KUBECONFIG.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/cli-utils/pkg/kstatus/polling/engine"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"github.com/fluxcd/pkg/ssa"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

const (
	controller = "kustomize-controller"
	group      = "kustomize.toolkit.fluxcd.io"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	objects, err := read(os.Stdin)
	if err != nil {
		return err
	}
	switch {
	case len(args) == 2 && args[0] == "health":
		return health(ctx, args[1], objects)
	case len(args) == 3 && args[0] == "apply":
		return apply(ctx, args[1], args[2], objects)
	case len(args) == 3 && args[0] == "wait":
		seconds, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return wait(ctx, args[1], time.Duration(seconds)*time.Second, objects)
	}
	return errors.New("use: flux health KUSTOMIZATION, flux apply NAME NAMESPACE, or flux wait KUSTOMIZATION SECONDS")
}

func read(in io.Reader) ([]*unstructured.Unstructured, error) {
	var found []*unstructured.Unstructured
	for lines := json.NewDecoder(in); ; {
		var raw json.RawMessage
		if err := lines.Decode(&raw); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, err
		}
		object := &unstructured.Unstructured{}
		// not plain JSON: numbers have to be integers, as a client of the API server has them
		if err := object.UnmarshalJSON(raw); err != nil {
			return nil, err
		}
		found = append(found, object)
	}
}

// checks reads spec.healthCheckExprs.
func checks(file string) ([]kustomize.CustomHealthCheck, error) {
	if file == "-" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var body struct {
		Spec struct {
			HealthCheckExprs []kustomize.CustomHealthCheck `json:"healthCheckExprs"`
		} `json:"spec"`
	}
	err = yaml.Unmarshal(text, &body)
	return body.Spec.HealthCheckExprs, err
}

func health(ctx context.Context, file string, objects []*unstructured.Unstructured) error {
	custom, err := checks(file)
	if err != nil {
		return err
	}
	evaluators := map[schema.GroupKind]*cel.StatusEvaluator{}
	for _, check := range custom {
		made, err := cel.NewStatusEvaluator(&check.HealthCheckExpressions)
		if err != nil {
			return err
		}
		evaluators[schema.FromAPIVersionAndKind(check.APIVersion, check.Kind).GroupKind()] = made
	}
	answers := json.NewEncoder(os.Stdout)
	for _, object := range objects {
		evaluate := func() (*status.Result, error) { return status.Compute(object) }
		if made, ok := evaluators[object.GroupVersionKind().GroupKind()]; ok {
			evaluate = func() (*status.Result, error) { return made.Evaluate(ctx, object) }
		}
		answer := map[string]string{}
		if found, err := evaluate(); err != nil {
			answer["error"] = err.Error()
		} else {
			answer["status"], answer["message"] = found.Status.String(), found.Message
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
	return nil
}

// manager is what the controller applies and waits with.
func manager(custom []kustomize.CustomHealthCheck) (*ssa.ResourceManager, error) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return nil, err
	}
	web, err := client.New(config, client.Options{})
	if err != nil {
		return nil, err
	}
	options := polling.Options{}
	if len(custom) > 0 {
		reader, err := cel.NewStatusReader(custom)
		if err != nil {
			return nil, err
		}
		options.CustomStatusReaders = []engine.StatusReader{reader(web.RESTMapper())}
	}
	poller := polling.NewStatusPoller(web, web.RESTMapper(), options)
	return ssa.NewResourceManager(web, poller, ssa.Owner{Field: controller, Group: group}), nil
}

func apply(ctx context.Context, name, namespace string, objects []*unstructured.Unstructured) error {
	flux, err := manager(nil)
	if err != nil {
		return err
	}
	flux.SetOwnerLabels(objects, name, namespace)
	answers := json.NewEncoder(os.Stdout)
	for _, object := range objects { // one by one, so that each has its answer
		answer := map[string]string{}
		done, err := flux.ApplyAll(ctx, []*unstructured.Unstructured{object}, options())
		if err != nil {
			answer["error"] = err.Error()
		} else {
			answer["action"] = done.Entries[0].Action.String()
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
	return nil
}

// options are those of the controller: it takes over what was done by hand with kubectl.
func options() ssa.ApplyOptions {
	found := ssa.DefaultApplyOptions()
	found.ExclusionSelector = map[string]string{group + "/reconcile": "disabled", group + "/ssa": "Ignore"}
	found.IfNotPresentSelector = map[string]string{group + "/ssa": "IfNotPresent"}
	found.ForceSelector = map[string]string{group + "/force": "Enabled"}
	found.Cleanup = ssa.ApplyCleanupOptions{
		Annotations: []string{"kubectl.kubernetes.io/last-applied-configuration"},
		FieldManagers: []ssa.FieldManager{
			{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationApply},
			{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationUpdate},
			{Name: "before-first-apply", OperationType: metav1.ManagedFieldsOperationUpdate},
			{Name: controller, OperationType: metav1.ManagedFieldsOperationUpdate},
		},
		Exclusions: map[string]string{group + "/ssa": "Merge"},
	}
	return found
}

func wait(_ context.Context, file string, timeout time.Duration, objects []*unstructured.Unstructured) error {
	custom, err := checks(file)
	if err != nil {
		return err
	}
	flux, err := manager(custom)
	if err != nil {
		return err
	}
	return flux.Wait(objects, ssa.WaitOptions{Interval: time.Second, Timeout: timeout, FailFast: true})
}
