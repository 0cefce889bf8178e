// Says what kustomize's own code makes of targets and selectors. Reads and writes JSON, one answer for each question.
package main

import (
	"encoding/json"
	"os"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

type question struct {
	Pattern, Selector *string
	Names             []string
	Labels            []map[string]string
	Kinds             [][2]string
}

type answer struct {
	Error      string
	Matched    []bool
	Namespaces []string
}

func main() {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		panic(err)
	}
	answers := make([]answer, len(questions))
	for i, one := range questions {
		switch {
		case one.Pattern != nil:
			answers[i] = byName(*one.Pattern, one.Names)
		case one.Selector != nil:
			answers[i] = byLabels(*one.Selector, one.Labels)
		}
		for _, kind := range one.Kinds {
			group, version := resid.ParseGroupVersion(kind[0])
			id := resid.NewResId(resid.NewGvk(group, version, kind[1]), "a")
			answers[i].Namespaces = append(answers[i].Namespaces, id.EffectiveNamespace())
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}

func byName(pattern string, names []string) (said answer) {
	selector, err := types.NewSelectorRegex(&types.Selector{ResId: resid.ResId{Name: pattern}})
	if err != nil {
		return answer{Error: err.Error()}
	}
	for _, name := range names {
		said.Matched = append(said.Matched, selector.MatchName(name))
	}
	return said
}

func byLabels(selector string, labelled []map[string]string) (said answer) {
	for _, labels := range labelled {
		object := yaml.MustParse("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
		if err := object.SetLabels(labels); err != nil {
			panic(err)
		}
		matched, err := object.MatchesLabelSelector(selector)
		if err != nil {
			return answer{Error: err.Error()}
		}
		said.Matched = append(said.Matched, matched)
	}
	return said
}
