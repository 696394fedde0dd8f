package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

const example = "../../configs/sua.example.yaml"

// keys lists the dotted YAML keys of a struct, so that nothing below has to be remembered when a setting is added.
func keys(t reflect.Type, prefix string) []string {
	var all []string
	for f := range t.Fields() {
		key := prefix + f.Tag.Get("yaml")
		if f.Type.Kind() == reflect.Struct {
			all = append(all, keys(f.Type, key+".")...)
			continue
		}
		all = append(all, key)
	}
	return all
}

func nodeKeys(n *yaml.Node, prefix string) []string {
	var all []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := prefix+n.Content[i].Value, n.Content[i+1]
		if value.Kind == yaml.MappingNode {
			all = append(all, nodeKeys(value, key+".")...)
			continue
		}
		all = append(all, key)
	}
	return all
}

func load(t *testing.T, text string, environ ...string) (Config, error) {
	t.Helper()
	path := ""
	if text != "" {
		path = filepath.Join(t.TempDir(), "sua.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(path, environ)
}

func TestExampleEqualsDefaultsAndHasEveryKey(t *testing.T) {
	fromExample, err := Load(example, nil)
	if err != nil {
		t.Fatal(err)
	}
	defaults, err := Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(fromExample, defaults) {
		t.Errorf("example = %+v\ndefaults = %+v", fromExample, defaults)
	}
	if err := defaults.Validate(); err != nil {
		t.Errorf("the defaults are not valid: %v", err)
	}

	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	want, got := keys(reflect.TypeFor[Config](), ""), nodeKeys(doc.Content[0], "")
	if !slices.Equal(want, got) {
		t.Errorf("keys of the example\n got %v\nwant %v (same order as the struct)", got, want)
	}
}

func TestEveryKeyIsCommented(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		isKey := strings.Contains(line, ":") && !strings.HasPrefix(strings.TrimSpace(line), "#")
		if isKey && !strings.HasSuffix(line, ":") && !strings.HasPrefix(strings.TrimSpace(lines[i-1]), "#") {
			t.Errorf("line %d, %q, has no comment above it", i+1, line)
		}
	}
}

func TestEveryKeyHasItsVariable(t *testing.T) {
	values := map[string]string{"int": "7", "bool": "true", "string": "x", "slice": "a.b,c.d", "int64": "3s"}
	var check func(v reflect.Value, name string)
	check = func(v reflect.Value, name string) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			variable := name + strings.ToUpper(f.Tag.Get("yaml"))
			if f.Type.Kind() == reflect.Struct {
				check(v.Field(i), variable+"_")
				continue
			}
			c, err := Load("", []string{variable + "=" + values[f.Type.Kind().String()]})
			if err != nil {
				t.Errorf("%s: %v", variable, err)
				continue
			}
			if reflect.DeepEqual(c, Default()) || reflect.DeepEqual(c, mustLoad(t)) {
				t.Errorf("%s changes nothing", variable)
			}
		}
	}
	check(reflect.ValueOf(Config{}), Prefix)
}

func mustLoad(t *testing.T) Config {
	t.Helper()
	c, err := Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLaterSourceWins(t *testing.T) {
	c, err := load(t, "listen: 127.0.0.1:9000\ndocuments: {max_mb: 10}\nlog: {level: warn}\nsweep: {every: 5s}\n",
		"SUA_LOG_LEVEL=debug", "SUA_ENFORCE=a.b,c.d", "SUA_DOCUMENTS_FOLDER=", "PORT=9100")
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Listen, want.PublicURL = "127.0.0.1:9100", "http://localhost:9100"
	want.Database.OwnerURL = want.Database.URL
	want.Documents.MaxMB = 10
	want.Log.Level = "debug"
	want.Sweep.Every = 5 * time.Second
	want.Enforce = []string{"a.b", "c.d"}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestFileNamedByVariable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sua.yaml")
	if err := os.WriteFile(path, []byte("session: {hours: 3}"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load("", []string{"SUA_CONFIG=" + path})
	if err != nil || c.Session.Hours != 3 {
		t.Errorf("Load = %d hours, %v; want 3", c.Session.Hours, err)
	}
	if _, err := Load("", []string{"SUA_CONFIG=" + path + ".missing"}); err == nil {
		t.Error("a missing file was accepted")
	}
}

func TestPublicURLFollowsPortOnlyWhenUnset(t *testing.T) {
	c, err := load(t, "public_url: https://sua.example.it\n", "PORT=9100")
	if err != nil || c.PublicURL != "https://sua.example.it" || c.Listen != "127.0.0.1:9100" {
		t.Errorf("got %s on %s, %v", c.PublicURL, c.Listen, err)
	}
}

func TestBadFiles(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"unknown keys and types, all at once": {
			"lisen: x\ndatabase:\n  ulr: y\ndocuments:\n  max_mb: many\ndemo: perhaps\nsweep: {every: soon}\n",
			[]string{"riga 1: chiave sconosciuta «lisen»", "riga 3: chiave sconosciuta «ulr»", "riga 5: serve un numero intero",
				"riga 6: serve true oppure false", "riga 7: serve una durata"},
		},
		"section given as text": {"log: loud\n", []string{"riga 1: serve un gruppo di chiavi"}},
		"list given as map":     {"enforce: {a: b}\n", []string{"riga 1: serve un elenco di testi"}},
		"repeated key":          {"demo: true\ndemo: false\n", []string{"riga 2: chiave «demo» ripetuta"}},
		"not YAML":              {"listen: [\n", []string{"YAML non valido"}},
		"two documents":         {"demo: true\n---\ndemo: false\n", []string{"più di un documento"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, c.text)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "config.") || strings.Contains(err.Error(), "unmarshal") {
				t.Errorf("error %q speaks of Go", err)
			}
		})
	}
}

func TestBadVariablesAreAllNamedAndNotShown(t *testing.T) {
	_, err := load(t, "", "SUA_DOCUMENTS_MAX_MB=hunter2", "SUA_DEMO=hunter2", "SUA_SWEEP_EVERY=hunter2")
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"SUA_DOCUMENTS_MAX_MB: serve un numero", "SUA_DEMO: serve true", "SUA_SWEEP_EVERY: serve una durata"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error shows a value: %q", err)
	}
}

func TestEmptyFileIsTheDefaults(t *testing.T) {
	c, err := load(t, "# nothing\n")
	if err != nil || !reflect.DeepEqual(c, mustLoad(t)) {
		t.Errorf("got %+v, %v", c, err)
	}
}
