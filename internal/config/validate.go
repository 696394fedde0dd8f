package config

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var limitKey = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)*$`)

// Validate reports every fault of c at once, in Italian, one per line, each beginning with its key; nil when there is none. It
// looks at values only, never at disk or network, and never repeats an address that may hold a password.
func (c Config) Validate() error {
	var faults []error
	bad := func(key, format string, args ...any) {
		faults = append(faults, fmt.Errorf(key+": "+format, args...))
	}

	host, port, err := net.SplitHostPort(c.Listen)
	if number, e := strconv.Atoi(port); err != nil || e != nil || number < 0 || number > 65535 {
		bad("listen", "serve host:porta con una porta fra 0 e 65535, trovato %q", c.Listen)
	} else if c.Demo && !loopback(host) {
		bad("demo", "gli account dimostrativi sono ammessi solo su 127.0.0.1, ma listen è %q", c.Listen)
	}
	if u, err := url.Parse(c.PublicURL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		bad("public_url", "serve un indirizzo http:// o https:// completo, trovato %q", c.PublicURL)
	} else if strings.HasSuffix(c.PublicURL, "/") || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		bad("public_url", "senza credenziali, parametri o barra finale")
	}

	oneOf(bad, "role", c.Role, "all", "api", "worker")
	kind, owner := databaseKind(c.Database.URL), databaseKind(c.Database.OwnerURL)
	if kind == "" {
		bad("database.url", "serve sqlite:PERCORSO oppure postgres://…")
	}
	if c.Database.OwnerURL != "" && owner != kind {
		bad("database.owner_url", "deve indicare la stessa base dati di database.url")
	}
	if kind == "sqlite" && c.Database.OwnerURL != "" && c.Database.OwnerURL != c.Database.URL {
		bad("database.owner_url", "con SQLite non c'è un secondo ruolo: lasciarlo vuoto")
	}
	if kind == "sqlite" && c.Role != "all" {
		bad("role", "con SQLite c'è un solo processo: all")
	}
	if !redisAddress(c.Redis.URL) {
		bad("redis.url", "serve redis://…, rediss://…, redis-socket://… oppure redis-sentinel://…")
	}

	if c.Documents.Folder == "" {
		bad("documents.folder", "manca la cartella dei documenti")
	}
	within(bad, "documents.max_mb", c.Documents.MaxMB, 1, 10_000)
	for i, key := range c.Enforce {
		if key != "*" && !limitKey.MatchString(key) {
			bad("enforce", "%q non è una chiave di workflows/law/limits.yaml", key)
		} else if slices.Contains(c.Enforce[:i], key) {
			bad("enforce", "%q è ripetuta", key)
		}
	}
	oneOf(bad, "log.level", c.Log.Level, "debug", "info", "warn", "error")
	oneOf(bad, "log.format", c.Log.Format, "text", "json")
	within(bad, "rate_limit.per_minute", c.RateLimit.PerMinute, 0, 1_000_000)
	if c.Sweep.Every < 100*time.Millisecond || c.Sweep.Every > time.Hour {
		bad("sweep.every", "serve una durata fra 100ms e 1h, trovato %s", c.Sweep.Every)
	}
	within(bad, "session.hours", c.Session.Hours, 1, 720)
	c.validateMail(bad)
	c.validateMerkle(bad)
	return errors.Join(faults...)
}

func within(bad func(key, format string, args ...any), key string, n, low, high int) {
	if n < low || n > high {
		bad(key, "serve un numero fra %d e %d, trovato %d", low, high, n)
	}
}

func oneOf(bad func(key, format string, args ...any), key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		bad(key, "serve uno fra %s, trovato %q", strings.Join(allowed, ", "), value)
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// redisAddress reports whether an address can be one of a Redis; empty stands for the one inside.
func redisAddress(address string) bool {
	if address == "" {
		return true
	}
	u, err := url.Parse(address)
	return err == nil && slices.Contains([]string{"redis", "rediss", "redis-socket", "redis-sentinel"}, u.Scheme) && (u.Host != "" || u.Path != "")
}

// databaseKind is "sqlite", "postgres", or empty when the address is neither or cannot be read.
func databaseKind(address string) string {
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok && path != "" {
		return "sqlite"
	}
	u, err := url.Parse(address)
	if err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") {
		return "postgres"
	}
	return ""
}

// validateMail looks at everything by which people are told.
func (c Config) validateMail(bad func(key, format string, args ...any)) {
	within(bad, "notices.escalate_days", c.Notices.EscalateDays, 0, 365)
	for key, address := range map[string]string{"mail.from": c.Mail.From, "mail.reply_to": c.Mail.ReplyTo, "pec.address": c.PEC.Address} {
		if _, err := mail.ParseAddress(address); err != nil && (address != "" || key == "mail.from") {
			bad(key, "serve un indirizzo di posta")
		}
	}
	for key, address := range map[string]string{"mail.smtp": c.Mail.SMTP, "pec.smtp": c.PEC.SMTP, "pec.imap": c.PEC.IMAP} {
		if _, port, err := net.SplitHostPort(address); address != "" && (err != nil || port == "") {
			bad(key, "serve host:porta")
		}
	}
	oneOf(bad, "mail.tls", c.Mail.TLS, "starttls", "tls", "none")
	oneOf(bad, "pec.tls", c.PEC.TLS, "starttls", "tls")
	if c.Mail.SMTP == "" && c.Mail.Folder == "" {
		bad("mail.folder", "senza mail.smtp serve la cartella della posta")
	}
	if c.Mail.TLS == "none" && c.Mail.User != "" {
		bad("mail.tls", "senza TLS la password viaggerebbe in chiaro")
	}
	if c.PEC.Address != "" && (c.PEC.SMTP == "" || c.PEC.IMAP == "" || c.PEC.Roots == "") {
		bad("pec.address", "servono anche pec.smtp, pec.imap e pec.roots")
	}
}

// validateMerkle looks at the log for strangers.
func (c Config) validateMerkle(bad func(key, format string, args ...any)) {
	if c.Merkle.Key == "" {
		bad("merkle.key", "serve il file della chiave, oppure la chiave")
	}
	if strings.ContainsAny(c.Merkle.Origin, " +\n") || strings.Contains(c.Merkle.Origin, "://") {
		bad("merkle.origin", "serve host e percorso senza https://, senza spazi né +")
	}
	for _, to := range c.Merkle.SendTo {
		address, certified := strings.CutPrefix(to, "pec:")
		if a, err := mail.ParseAddress(address); err != nil || a.Address != address {
			bad("merkle.send_to", "%q non è un indirizzo di posta", to)
		}
		if certified && c.PEC.Address == "" {
			bad("merkle.send_to", "per %q serve la casella pec.address", to)
		}
	}
	if u, err := url.Parse(c.Merkle.TSA); c.Merkle.TSA != "" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https")) {
		bad("merkle.tsa_url", "serve un indirizzo http:// o https://")
	}
}
