// Command argolua says what Argo CD makes of objects, by Argo CD's own code.
//
//	argolua health CONFIGMAP        {"status", "message"} for each object; without a status: no opinion, so Argo CD does not wait
//	argolua actions CONFIGMAP       {"actions": [{"name", "disabled", ...}]} for each object: what a person is offered
//	argolua run CONFIGMAP ACTION    {"patches": [...]} for each object: the merge patches that Argo CD would send
//
// CONFIGMAP is a file with an argocd-cm (its resource.customizations.* count), or - for none. Objects are JSON, one a line, on
// standard input; answers come in their order. What a script or a check refuses stands in {"error"}.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	jsonpatch "github.com/evanphx/json-patch"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const prefix = "resource.customizations."

type (
	overrides = map[string]v1alpha1.ResourceOverride
	question  func(*unstructured.Unstructured) (any, error)
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("use: argolua health|actions CONFIGMAP, or argolua run CONFIGMAP ACTION")
	}
	known, err := read(args[1])
	if err != nil {
		return err
	}
	machine := lua.VM{ResourceOverrides: known}
	switch {
	case args[0] == "health" && len(args) == 2:
		return each(os.Stdin, os.Stdout, func(object *unstructured.Unstructured) (any, error) {
			found, err := health.GetResourceHealth(object, lua.ResourceHealthOverrides(known))
			if found == nil {
				found = &health.HealthStatus{}
			}
			return found, err
		})
	case args[0] == "actions" && len(args) == 2:
		return each(os.Stdin, os.Stdout, func(object *unstructured.Unstructured) (any, error) { return offered(machine, object) })
	case args[0] == "run" && len(args) == 3:
		return each(os.Stdin, os.Stdout, func(object *unstructured.Unstructured) (any, error) { return patches(machine, object, args[2]) })
	}
	return fmt.Errorf("there is no %s", strings.Join(args, " "))
}

// read takes the customizations out of an argocd-cm, as the settings of Argo CD do.
func read(file string) (overrides, error) {
	known := overrides{}
	if file == "-" {
		return known, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var config struct {
		Data map[string]string `json:"data"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		return nil, err
	}
	for key, value := range config.Data {
		rest, found := strings.CutPrefix(key, prefix)
		if !found {
			continue
		}
		what, kind, _ := strings.Cut(rest, ".")
		kind = strings.Replace(kind, "_", "/", 1)
		override := known[kind]
		switch what {
		case "health":
			override.HealthLua = value
		case "actions":
			override.Actions = value
		case "ignoreDifferences": // not about health or actions
		default:
			return nil, fmt.Errorf("%s: this tool does not know customizations of %s", file, what)
		}
		known[kind] = override
	}
	return known, nil
}

func each(in io.Reader, out io.Writer, ask question) error {
	objects, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var raw json.RawMessage
		if err := objects.Decode(&raw); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		object := &unstructured.Unstructured{}
		// not plain JSON: numbers have to be integers, as a client of the API server has them
		if err := object.UnmarshalJSON(raw); err != nil {
			return err
		}
		answer, err := ask(object)
		if err != nil {
			answer = map[string]string{"error": err.Error()}
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
}

func offered(machine lua.VM, object *unstructured.Unstructured) (any, error) {
	scripts, err := machine.GetResourceActionDiscovery(object)
	if err != nil || len(scripts) == 0 {
		return map[string]any{"actions": []any{}}, err
	}
	found, err := machine.ExecuteResourceActionDiscovery(object, scripts)
	sort.Slice(found, func(i, j int) bool { return found[i].Name < found[j].Name })
	return map[string]any{"actions": found}, err
}

// patches compares what a script returns with the object, as Argo CD's server does before it sends the difference.
func patches(machine lua.VM, object *unstructured.Unstructured, name string) (any, error) {
	action, err := machine.GetResourceAction(object, name)
	if err != nil {
		return nil, err
	}
	before, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	changed, err := machine.ExecuteResourceAction(object, action.ActionLua, nil)
	if err != nil {
		return nil, err
	}
	found := []json.RawMessage{}
	for _, one := range changed {
		if one.K8SOperation != lua.PatchOperation {
			return nil, fmt.Errorf("action %s would %s", name, one.K8SOperation)
		}
		after, err := json.Marshal(one.UnstructuredObj)
		if err != nil {
			return nil, err
		}
		patch, err := jsonpatch.CreateMergePatch(before, after)
		if err != nil {
			return nil, err
		}
		found = append(found, patch)
	}
	return map[string]any{"patches": found}, nil
}
