// Renders injection templates the way Istio 1.0's injector does: Go's own text/template, its delimiters, its two
// functions, and values of the same Go types (pilot/pkg/kube/inject of 1.0.6). Reads and writes JSON.
package main

import (
	"bytes"
	"encoding/json"
	"os"
	"text/template"
	"time"
)

type interceptionMode string

func (m interceptionMode) String() string { return string(m) }

type authenticationPolicy string

func (p authenticationPolicy) String() string { return string(p) }

type port struct{ ContainerPort int32 }

type container struct{ Ports []port }

type objectMeta struct{ Annotations, Labels map[string]string }

type podSpec struct {
	ServiceAccountName string
	Containers         []container
}

type proxyConfig struct {
	ConfigPath, BinaryPath, DiscoveryAddress, ZipkinAddress                     string
	DrainDuration, ParentShutdownDuration, DiscoveryRefreshDelay, ConnectTimeout string
	ProxyAdminPort, Concurrency                                                 int32
	InterceptionMode                                                            interceptionMode
	ControlPlaneAuthPolicy                                                      authenticationPolicy
}

type meshConfig struct{ ProxyListenPort int32 }

type pod struct {
	ObjectMeta  *objectMeta
	Spec        *podSpec
	ProxyConfig *proxyConfig
	MeshConfig  *meshConfig
}

type request struct {
	Template string
	Pods     []pod
}

func formatDuration(text string) string {
	duration, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return duration.String()
}

func isset(m map[string]string, key string) bool {
	_, there := m[key]
	return there
}

func main() {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		panic(err)
	}
	functions := template.FuncMap{"formatDuration": formatDuration, "isset": isset}
	parsed := template.Must(template.New("inject").Delims("[[", "]]").Funcs(functions).Parse(asked.Template))
	rendered := []string{}
	for _, one := range asked.Pods {
		var text bytes.Buffer
		if err := parsed.Execute(&text, one); err != nil {
			panic(err)
		}
		rendered = append(rendered, text.String())
	}
	if err := json.NewEncoder(os.Stdout).Encode(rendered); err != nil {
		panic(err)
	}
}
