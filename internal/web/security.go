package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

const (
	sessionCookie = "sua_session"
	csrfField     = "csrf"

	contentPolicy = "default-src 'self'; font-src 'self' data:; img-src 'self' data:; object-src 'none'; " +
		"frame-ancestors 'none'; base-uri 'self'; form-action 'self'"

	maxForm  = 4 << 20   // bytes of a form without files: a long text in every field of a long table
	mebibyte = 1 << 20   // bytes
	maxDrain = 200 << 20 // bytes read and thrown away, so that the browser listens to the refusal
)

// secure sets the headers of every page. Pages hold people's work: they are kept by no cache.
func secure(c echo.Context) {
	h := c.Response().Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// csrf is the token of the visitor's forms: only who holds the session can compute it, and it does not give it away.
func (v visitor) csrf() string {
	if v.secret == "" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(v.secret))
	mac.Write([]byte("sua form"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// guardPost bounds a form and checks that one of our pages sent it.
func (s *site) guardPost(c echo.Context, who visitor) error {
	r := c.Request()
	if r.Method != http.MethodPost {
		return nil
	}
	if err := sameOrigin(r); err != nil {
		return err
	}
	raw := r.Body
	if isMultipart(r) {
		r.Body = http.MaxBytesReader(c.Response(), raw, int64(s.MaxUploadMB+1)*mebibyte)
		if err := r.ParseMultipartForm(mebibyte); err != nil {
			return tooLarge(raw, err)
		}
	} else {
		r.Body = http.MaxBytesReader(c.Response(), raw, maxForm)
		if err := r.ParseForm(); err != nil {
			return tooLarge(raw, err)
		}
	}
	if !hmac.Equal([]byte(r.PostFormValue(csrfField)), []byte(who.csrf())) {
		return errForeignForm
	}
	return nil
}

// tooLarge reads on, within reason, when a body was cut: a browser shows the answer only when it could send everything.
func tooLarge(raw io.Reader, err error) error {
	if !errors.As(err, new(*http.MaxBytesError)) {
		return echo.NewHTTPError(http.StatusBadRequest, http.StatusText(http.StatusBadRequest)).SetInternal(err)
	}
	if _, drain := io.CopyN(io.Discard, raw, maxDrain); drain != nil && !errors.Is(drain, io.EOF) {
		err = errors.Join(err, drain)
	}
	return echo.NewHTTPError(http.StatusRequestEntityTooLarge, http.StatusText(http.StatusRequestEntityTooLarge)).SetInternal(err)
}

// sameOrigin refuses what browsers mark as sent by another site; it also protects the sign-in, which has no session yet.
func sameOrigin(r *http.Request) error {
	if http.NewCrossOriginProtection().Check(r) != nil {
		return errForeignForm
	}
	return nil
}

func isMultipart(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get(echo.HeaderContentType), echo.MIMEMultipartForm)
}

var errForeignForm = echo.NewHTTPError(http.StatusForbidden, "il modulo non è più valido: torna indietro, ricarica la pagina e riprova")
