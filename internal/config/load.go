package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"go.yaml.in/yaml/v3"
)

// Prefix begins the name of every environment variable read here, save PORT.
const Prefix = "SUA_"

// Load reads defaults, then the file, then environ (as os.Environ gives it). An empty path means the one in SUA_CONFIG, and
// no file when that is empty too. It does not call Validate: the caller applies its flags first. Errors are in Italian, name
// line or variable, and list every fault of a source at once; they never repeat the value of a variable, which may be a secret.
func Load(path string, environ []string) (Config, error) {
	vars := env.ToMap(environ)
	if path == "" {
		path = vars[Prefix+"CONFIG"]
	}
	c := Default()
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return Config{}, fmt.Errorf("file di configurazione: %w", err)
		}
		if err := c.fromYAML(text); err != nil {
			return Config{}, fmt.Errorf("file di configurazione %s:\n%w", path, err)
		}
	}
	if err := c.fromEnv(vars); err != nil {
		return Config{}, fmt.Errorf("variabili d'ambiente:\n%w", err)
	}
	c.complete()
	return c, nil
}

// fromYAML lays a file over c. Keys the struct does not have are faults: a misspelt key would otherwise be obeyed as its default.
func (c *Config) fromYAML(text []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	err := dec.Decode(c)
	if errors.Is(err, io.EOF) {
		return nil // an empty file asks for the defaults
	}
	if err != nil {
		return italian(err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errors.New("il file contiene più di un documento YAML")
	}
	if c.Enforce == nil {
		c.Enforce = []string{}
	}
	return nil
}

// yamlFaults turns the library's messages, which name Go types, into ones for the administrator who reads them. What stands before
// "into" is a tag and a piece of the file, and may hold anything.
var yamlFaults = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`^line (\d+): field (\S+) not found in type \S+$`), "riga $1: chiave sconosciuta «$2»"},
	{regexp.MustCompile(`^line (\d+): field (\S+) already set in type \S+$`), "riga $1: chiave «$2» ripetuta"},
	{regexp.MustCompile(`^line (\d+): mapping key "(.+)" already defined at line (\d+)$`), "riga $1: chiave «$2» ripetuta (già alla riga $3)"},
	{regexp.MustCompile(`(?s)^line (\d+): cannot unmarshal .* into int$`), "riga $1: serve un numero intero"},
	{regexp.MustCompile(`(?s)^line (\d+): cannot unmarshal .* into bool$`), "riga $1: serve true oppure false"},
	{regexp.MustCompile(`(?s)^line (\d+): cannot unmarshal .* into string$`), "riga $1: serve un testo"},
	{regexp.MustCompile(`(?s)^line (\d+): cannot unmarshal .* into \[\]string$`), "riga $1: serve un elenco di testi"},
	{regexp.MustCompile(`(?s)^line (\d+): cannot unmarshal .* into time.Duration$`), "riga $1: serve una durata come 2s o 5m"},
	{regexp.MustCompile(`(?s)^line (\d+): cannot unmarshal .* into config\.\w+$`), "riga $1: serve un gruppo di chiavi"},
	{regexp.MustCompile(`^(?:yaml: )?line (\d+): (.+)$`), "riga $1: YAML non valido: $2"},
}

func italian(err error) error {
	messages := []string{err.Error()}
	if list := new(yaml.TypeError); errors.As(err, &list) {
		messages = list.Errors
	}
	faults := make([]error, len(messages))
	for i, message := range messages {
		faults[i] = errors.New(message)
		for _, f := range yamlFaults {
			if f.pattern.MatchString(message) {
				faults[i] = errors.New(f.pattern.ReplaceAllString(message, f.text))
				break
			}
		}
	}
	return errors.Join(faults...)
}

// fromEnv lays SUA_* variables over c, then PORT over the port of Listen. An empty variable changes nothing.
func (c *Config) fromEnv(vars map[string]string) error {
	var faults []error
	if err := env.ParseWithOptions(c, env.Options{Environment: vars, Prefix: Prefix}); err != nil {
		faults = append(faults, envFaults(vars)...)
		if len(faults) == 0 {
			return err // a fault of the struct's tags, not of the variables
		}
	}
	if port := vars["PORT"]; port != "" {
		host, _, err := net.SplitHostPort(c.Listen)
		if err != nil {
			host = ""
		}
		c.Listen = net.JoinHostPort(host, port)
	}
	return errors.Join(faults...)
}

// envFaults tries each variable alone, because the library names the Go field in its errors and not the variable.
func envFaults(vars map[string]string) []error {
	params, err := env.GetFieldParamsWithOptions(&Config{}, env.Options{Prefix: Prefix})
	if err != nil {
		return []error{err}
	}
	var faults []error
	for _, p := range params {
		value, ok := vars[p.Key]
		if !ok {
			continue
		}
		var bad env.ParseError
		err := env.ParseWithOptions(&Config{}, env.Options{Environment: map[string]string{p.Key: value}, Prefix: Prefix})
		if errors.As(err, &bad) {
			faults = append(faults, fmt.Errorf("%s: %s", p.Key, wanted(bad.Type)))
		}
	}
	return faults
}

func wanted(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "serve una durata come 2s o 5m"
	case t.Kind() == reflect.Bool:
		return "serve true oppure false"
	case strings.HasPrefix(t.Kind().String(), "int"):
		return "serve un numero intero"
	default:
		return "valore non valido"
	}
}
