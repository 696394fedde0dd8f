package config

import (
	"strings"
	"testing"
	"time"
)

func TestValidateReportsEverything(t *testing.T) {
	c := Config{
		Listen: "8080", PublicURL: "sua.example.it", Enforce: []string{"Not a key", "a.b", "a.b"},
		Database: Database{URL: "mysql://root:hunter2@db/x", OwnerURL: "sqlite:x"},
		Log:      Log{Level: "loud", Format: "xml"}, RateLimit: RateLimit{PerMinute: -1},
	}
	err := c.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, key := range []string{"listen: ", "public_url: ", "database.url: ", "database.owner_url: ", "documents.folder: ",
		"documents.max_mb: ", `enforce: "Not a key"`, `enforce: "a.b" è ripetuta`, "log.level: ", "log.format: ",
		"rate_limit.per_minute: ", "sweep.every: ", "session.hours: "} {
		if !strings.Contains(err.Error(), key) {
			t.Errorf("no fault beginning %q in\n%v", key, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a password is shown:\n%v", err)
	}
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		fault  string // empty: valid
	}{
		"demo on loopback":        {func(c *Config) { c.Demo = true }, ""},
		"demo on localhost":       {func(c *Config) { c.Demo, c.Listen = true, "localhost:0" }, ""},
		"demo on IPv6 loopback":   {func(c *Config) { c.Demo, c.Listen = true, "[::1]:8080" }, ""},
		"demo on every interface": {func(c *Config) { c.Demo, c.Listen = true, ":8080" }, "demo: "},
		"demo on a public one":    {func(c *Config) { c.Demo, c.Listen = true, "0.0.0.0:8080" }, "demo: "},
		"open without demo":       {func(c *Config) { c.Listen = "0.0.0.0:8080" }, ""},
		"port out of range":       {func(c *Config) { c.Listen = "127.0.0.1:70000" }, "listen: "},
		"final slash":             {func(c *Config) { c.PublicURL = "https://sua.example.it/" }, "public_url: "},
		"password in public url":  {func(c *Config) { c.PublicURL = "https://a:b@sua.example.it" }, "public_url: "},
		"postgres, two roles": {func(c *Config) {
			c.Database = Database{URL: "postgres://sua_app:x@db/sua", OwnerURL: "postgres://sua_owner:y@db/sua"}
		}, ""},
		"postgres without owner": {func(c *Config) { c.Database = Database{URL: "postgresql://sua_app@db/sua"} }, ""},
		"owner elsewhere":        {func(c *Config) { c.Database.OwnerURL = "postgres://sua_owner@db/sua" }, "database.owner_url: "},
		"second sqlite":          {func(c *Config) { c.Database.OwnerURL = "sqlite:other.db" }, "database.owner_url: "},
		"sqlite without path":    {func(c *Config) { c.Database = Database{URL: "sqlite:"} }, "database.url: "},
		"a pause too short":      {func(c *Config) { c.Sweep.Every = time.Nanosecond }, "sweep.every: "},
		"no key of the log":      {func(c *Config) { c.Merkle.Key = "" }, "merkle.key: "},
		"an origin with scheme":  {func(c *Config) { c.Merkle.Origin = "https://sua.example.it/log" }, "merkle.origin: "},
		"a copy to nobody":       {func(c *Config) { c.Merkle.SendTo = []string{"nobody"} }, "merkle.send_to: "},
		"a copy by PEC, none":    {func(c *Config) { c.Merkle.SendTo = []string{"pec:x@pec.example"} }, "merkle.send_to: "},
		"a copy by mail":         {func(c *Config) { c.Merkle.SendTo = []string{"x@example.it"} }, ""},
		"an authority by ftp":    {func(c *Config) { c.Merkle.TSA = "ftp://tsa.example" }, "merkle.tsa_url: "},
		"no rate limit":          {func(c *Config) { c.RateLimit.PerMinute = 0 }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			config := mustLoad(t)
			c.change(&config)
			err := config.Validate()
			if c.fault == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
				t.Errorf("error = %v, want one beginning %q", err, c.fault)
			}
		})
	}
}

func TestRedactedHidesPasswords(t *testing.T) {
	for address, want := range map[string]string{
		"sqlite:data/sua.db":                                      "sqlite:data/sua.db",
		"postgres://sua_app@db/sua":                               "postgres://sua_app@db/sua",
		"postgres://sua_app:hunter2@db/sua":                       "postgres://sua_app:***@db/sua",
		"postgres://db/sua?user=a&password=hunter2":               "postgres://db/sua?password=***&user=a",
		"postgres://db/sua?sslpassword=hunter2&sslmode=disable":   "postgres://db/sua?sslmode=disable&sslpassword=***",
		"postgres://sua_app:hunter2/with/slash@db:not-a-port/sua": "***",
		"host=db password=hunter2":                                "***",
	} {
		c := Config{Database: Database{URL: address, OwnerURL: address}, Merkle: Merkle{Key: "PRIVATE+KEY+x"}}
		r := c.Redacted()
		if r.Database.URL != want || r.Database.OwnerURL != want {
			t.Errorf("Redacted(%q) = %q and %q, want %q", address, r.Database.URL, r.Database.OwnerURL, want)
		}
		if r.Merkle.Key != "***" {
			t.Errorf("the key of the log is shown: %s", r.Merkle.Key)
		}
		if c.Database.URL != address {
			t.Error("Redacted changed the original")
		}
	}
}
