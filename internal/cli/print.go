package cli

import (
	"encoding/json"
	"fmt"

	"sigs.k8s.io/yaml"
)

// printObject writes a result as JSON or YAML to stdout.
func (a *app) printObject(format string, result any) error {
	var text []byte
	var err error
	if format == "yaml" {
		text, err = yaml.Marshal(result)
	} else if text, err = json.MarshalIndent(result, "", "    "); err == nil {
		text = append(text, '\n')
	}
	if err != nil {
		return err
	}
	_, err = a.host.Streams.Out.Write(text)
	return err
}

func (a *app) println(line string) error {
	_, err := fmt.Fprintln(a.host.Streams.Out, line)
	return err
}
