// Package config holds every setting of the program in one struct and reads it, later sources winning, from the
// defaults, a YAML file and the environment.
//
// It only reads and checks values: it opens no database, creates no folder and keeps no global. cmd/sua loads it once and
// hands each package the fields it needs; no other package imports it. Every key stands, with a comment, in
// configs/sua.example.yaml, and a test keeps that file equal to the defaults.
package config

import (
	"net"
	"time"
)

// Config is the whole configuration. The zero value is not usable: start from Default or Load.
type Config struct {
	// Listen is the host:port the server answers on; PORT replaces the port alone.
	Listen string `yaml:"listen" env:"LISTEN"`
	// Role is what this process does: all, api (pages and API) or worker (background work).
	Role string `yaml:"role" env:"ROLE"`
	// PublicURL is the address people type, used in links that leave the program; no trailing slash.
	PublicURL string    `yaml:"public_url" env:"PUBLIC_URL"`
	Database  Database  `yaml:"database" envPrefix:"DATABASE_"`
	Redis     Redis     `yaml:"redis" envPrefix:"REDIS_"`
	Documents Documents `yaml:"documents" envPrefix:"DOCUMENTS_"`
	Workflows Workflows `yaml:"workflows" envPrefix:"WORKFLOWS_"`
	// Enforce lists keys of workflows/law/limits.yaml marked M or P which shall refuse instead of warning.
	Enforce []string `yaml:"enforce" env:"ENFORCE"`
	// TwoPeople wants a rectification made by someone other than who did what it mends.
	TwoPeople bool `yaml:"two_people" env:"TWO_PEOPLE"`
	// Demo loads the demo data and opens its accounts; allowed on a loopback address only.
	Demo      bool      `yaml:"demo" env:"DEMO"`
	Log       Log       `yaml:"log" envPrefix:"LOG_"`
	RateLimit RateLimit `yaml:"rate_limit" envPrefix:"RATE_LIMIT_"`
	Sweep     Sweep     `yaml:"sweep" envPrefix:"SWEEP_"`
	Session   Session   `yaml:"session" envPrefix:"SESSION_"`
	Contacts  Contacts  `yaml:"contacts" envPrefix:"CONTACTS_"`
	Notices   Notices   `yaml:"notices" envPrefix:"NOTICES_"`
	Mail      Mail      `yaml:"mail" envPrefix:"MAIL_"`
	PEC       PEC       `yaml:"pec" envPrefix:"PEC_"`
	Webhooks  Webhooks  `yaml:"webhooks" envPrefix:"WEBHOOKS_"`
	Merkle    Merkle    `yaml:"merkle" envPrefix:"MERKLE_"`
}

// Contacts is what the page /contatti tells; the API description names that page. Empty entries are left out, and nothing is
// invented in their place.
type Contacts struct {
	// Office is who answers, as people call it.
	Office string `yaml:"office" env:"OFFICE"`
	Email  string `yaml:"email" env:"EMAIL"`
	PEC    string `yaml:"pec" env:"PEC"`
	Phone  string `yaml:"phone" env:"PHONE"`
	// Hours says when the office answers, in words.
	Hours string `yaml:"hours" env:"HOURS"`
}

// Database says where the data live: "sqlite:PATH" or "postgres://…".
type Database struct {
	// URL is the connection that serves; on PostgreSQL the role that may not rewrite history (sua_app).
	URL string `yaml:"url" env:"URL"`
	// OwnerURL is the connection that migrates (sua_owner). Load fills it with URL when it is empty.
	OwnerURL string `yaml:"owner_url" env:"OWNER_URL"`
}

// Redis says where the queues of background work are. They hold nothing that is not in the database.
type Redis struct {
	// URL is redis://, rediss://, redis-socket:// or redis-sentinel://; empty starts one inside the process.
	URL string `yaml:"url" env:"URL"`
}

// Documents says where uploaded files go.
type Documents struct {
	// Folder keeps each file once, named by its SHA-256.
	Folder string `yaml:"folder" env:"FOLDER"`
	// MaxMB is the largest file accepted, in units of 1,048,576 bytes.
	MaxMB int `yaml:"max_mb" env:"MAX_MB"`
}

// Workflows adds definitions to the embedded ones.
type Workflows struct {
	// Folder holds the administrator's own *.yaml; empty means only the embedded ones.
	Folder string `yaml:"folder" env:"FOLDER"`
}

// Log shapes what the program writes about itself on standard error.
type Log struct {
	// Level is debug, info, warn or error.
	Level string `yaml:"level" env:"LEVEL"`
	// Format is text or json.
	Format string `yaml:"format" env:"FORMAT"`
}

// RateLimit bounds how fast one client may call the API.
type RateLimit struct {
	// PerMinute is the number of requests a client may make in a minute; 0 sets no limit.
	PerMinute int `yaml:"per_minute" env:"PER_MINUTE"`
}

// Sweep is the look for due deadlines which each worker takes by itself, whatever the queue says.
type Sweep struct {
	// Every is the pause between two looks, and so the most a lost task can make a deadline late.
	Every time.Duration `yaml:"every" env:"EVERY"`
}

// Session bounds how long a person stays signed in.
type Session struct {
	// Hours is the life of a session from sign-in.
	Hours int `yaml:"hours" env:"HOURS"`
}

// Notices says when somebody above is told.
type Notices struct {
	// EscalateDays is how many days a notice that asks for something waits unread before the director is told; 0 is never.
	EscalateDays int `yaml:"escalate_days" env:"ESCALATE_DAYS"`
}

// Mail says how mails leave.
type Mail struct {
	// From is the sender, "Name <address>".
	From string `yaml:"from" env:"FROM"`
	// ReplyTo is where answers go; empty: to the sender.
	ReplyTo string `yaml:"reply_to" env:"REPLY_TO"`
	// SMTP is the host:port of the server; empty keeps mails in Folder.
	SMTP     string `yaml:"smtp" env:"SMTP"`
	User     string `yaml:"user" env:"USER"`
	Password string `yaml:"password" env:"PASSWORD"`
	// TLS is starttls, tls or none.
	TLS string `yaml:"tls" env:"TLS"`
	// CA is a file of more authorities for the server's certificate.
	CA string `yaml:"ca" env:"CA"`
	// Folder keeps mails as .eml where there is no server.
	Folder string `yaml:"folder" env:"FOLDER"`
}

// PEC is the certified mailbox: where formal notices are handed in and receipts are read.
type PEC struct {
	// Address is the mailbox; empty: no certified mail.
	Address  string `yaml:"address" env:"ADDRESS"`
	SMTP     string `yaml:"smtp" env:"SMTP"`
	IMAP     string `yaml:"imap" env:"IMAP"`
	User     string `yaml:"user" env:"USER"`
	Password string `yaml:"password" env:"PASSWORD"`
	TLS      string `yaml:"tls" env:"TLS"`
	CA       string `yaml:"ca" env:"CA"`
	// Roots is the file of the authorities that certify the signatures of PEC providers: no receipt counts without.
	Roots string `yaml:"roots" env:"ROOTS"`
}

// Webhooks bounds where events may be posted.
type Webhooks struct {
	// Private allows http and addresses that are not public.
	Private bool `yaml:"private" env:"PRIVATE"`
}

// Merkle shapes the log that lets a stranger verify the history.
type Merkle struct {
	// Key is the file with the key that signs, made at the first start, or the key itself ("PRIVATE+KEY+…"). Several processes need the same.
	Key string `yaml:"key" env:"KEY"`
	// Origin is the name of the log, for the key that is made: host and path without scheme. Empty: that of PublicURL, and /log.
	Origin string `yaml:"origin" env:"ORIGIN"`
	// OldKeys are the public keys that signed before Key, each with "@" and the size of the last checkpoint that it signed: see sua log rotate.
	OldKeys []string `yaml:"old_keys" env:"OLD_KEYS"`
	// SendTo lists who gets a checkpoint each day: mail addresses, or "pec:" and a certified one.
	SendTo []string `yaml:"send_to" env:"SEND_TO"`
	// TSA is the http(s) address of a time-stamping authority (RFC 3161), asked each day; empty: none.
	TSA string `yaml:"tsa_url" env:"TSA_URL"`
	// TSARoots is a file in PEM with the authorities from which the certificate of time stamps must descend; empty: nobody looks.
	TSARoots string `yaml:"tsa_roots" env:"TSA_ROOTS"`
}

// Default is the configuration of a program started with no file and no variable: everything in ./data, nothing to install.
func Default() Config {
	return Config{
		Listen:    "127.0.0.1:8080",
		Role:      "all",
		PublicURL: "http://localhost:8080",
		Database:  Database{URL: "sqlite:data/sua.db"},
		Documents: Documents{Folder: "data/documents", MaxMB: 50},
		Enforce:   []string{},
		Log:       Log{Level: "info", Format: "text"},
		RateLimit: RateLimit{PerMinute: 600},
		Sweep:     Sweep{Every: 2 * time.Second},
		Session:   Session{Hours: 10},
		Contacts:  Contacts{Office: "Stazione Unica Appaltante"},
		Notices:   Notices{EscalateDays: 3},
		Mail:      Mail{From: "Stazione Unica Appaltante <sua@localhost>", TLS: "starttls", Folder: "data/mail"},
		PEC:       PEC{TLS: "tls"},
		Merkle:    Merkle{Key: "data/log.key", OldKeys: []string{}, SendTo: []string{}},
	}
}

// complete fills what follows from other settings: who changes only the port still gets links that work, and one database
// account serves for both duties until a second is named.
func (c *Config) complete() {
	if c.Database.OwnerURL == "" {
		c.Database.OwnerURL = c.Database.URL
	}
	if _, port, err := net.SplitHostPort(c.Listen); err == nil && c.PublicURL == Default().PublicURL {
		c.PublicURL = "http://localhost:" + port
	}
}
