package config

import (
	"net/url"
	"strings"
)

// Redacted is a copy of c fit for logs: passwords inside addresses are replaced by "***".
func (c Config) Redacted() Config {
	c.Database.URL = redactURL(c.Database.URL)
	c.Database.OwnerURL = redactURL(c.Database.OwnerURL)
	c.Redis.URL = redactURL(c.Redis.URL)
	if strings.HasPrefix(c.Merkle.Key, "PRIVATE+KEY+") {
		c.Merkle.Key = "***"
	}
	for _, secret := range []*string{&c.Mail.Password, &c.PEC.Password} {
		if *secret != "" {
			*secret = "***"
		}
	}
	return c
}

// redactURL hides user password and secret parameters. An address it cannot read is hidden whole, since nobody can say where
// its password ends.
func redactURL(address string) string {
	if address == "" || strings.HasPrefix(address, "sqlite:") {
		return address
	}
	u, err := url.Parse(address)
	if err != nil || u.Opaque != "" || u.Scheme == "" {
		return "***"
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), "***")
	}
	q := u.Query()
	for key := range q {
		if strings.Contains(strings.ToLower(key), "password") {
			q.Set(key, "***")
		}
	}
	u.RawQuery = q.Encode()
	// The mask is for reading, not for connecting: undo the escaping that would make it %2A%2A%2A.
	return strings.ReplaceAll(u.String(), "%2A%2A%2A", "***")
}
