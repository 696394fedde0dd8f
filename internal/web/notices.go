package web

import (
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
)

// noticesView is the page of what the visitor was told.
type noticesView struct {
	Rows   []noticeRow
	Unread int
	Only   bool   // only what is not read
	Next   string // address of the following page
	Mails  bool   // the local outbox can be looked at
}

type noticeRow struct {
	ID, Case, Subject, At string
	Lines                 []string
	New, Act              bool
	Formal                bool     // sent by PEC: there are receipts, or there will be
	Sent                  []string // what became of it by mail and PEC
}

var channelNames = map[string]string{"mail": "Posta", "pec": "PEC", "digest": "Riepilogo", "webhook": "Webhook"}

var deliveryNames = map[string]string{
	"queued": "in partenza", "held": "nel prossimo riepilogo", "sent": "inviata", "delivered": "consegnata", "failed": "non riuscita, si riprova", "dead": "non consegnata",
}

func (s *site) notices(c echo.Context, who visitor) error {
	v := noticesView{Only: c.QueryParam("letti") == "no", Unread: who.Unread, Mails: s.seesMails(who)}
	found, err := s.Engine.Notices(c.Request().Context(), who.Actor, engine.NoticeQuery{Unread: v.Only, After: c.QueryParam("dopo"), Limit: pageSize})
	if err != nil {
		return err
	}
	for _, n := range found.Items {
		row := noticeRow{ID: n.ID, Case: n.Case, Subject: n.Subject.IT, At: moment(n.At), New: n.ReadAt == nil, Act: n.Act, Lines: strings.Split(n.Body.IT, "\n")}
		for _, d := range n.Deliveries {
			row.Formal = row.Formal || d.Channel == "pec" && n.Case != ""
			row.Sent = append(row.Sent, channelNames[d.Channel]+": "+deliveryNames[d.State])
		}
		v.Rows = append(v.Rows, row)
	}
	if found.Next != "" {
		next := url.Values{"dopo": {found.Next}}
		if v.Only {
			next.Set("letti", "no")
		}
		v.Next = "/avvisi?" + next.Encode()
	}
	return show(c, noticesPage(s.frame(who, "Avvisi", "avvisi"), v))
}

// readNotices marks one notice as read and opens its case, or all of them and stays.
func (s *site) readNotices(c echo.Context, who visitor) error {
	id := c.FormValue("avviso")
	if _, err := s.Engine.ReadNotices(c.Request().Context(), who.Actor, id); err != nil {
		return err
	}
	to := "/avvisi"
	if opened := c.FormValue("apri"); opened != "" {
		to = localPath("/procedure/" + url.PathEscape(opened))
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// preferencesView is the page of how the visitor is told.
type preferencesView struct {
	engine.Preferences
	Modes, Languages []option
	Hours            []option
	Digest, From, To string
	Faults           map[string]string // by field
	HasCalendar      bool
	Calendar         string // its address, shown once
	Hooks            bool   // the visitor may have programs told
}

var habits = map[string]string{"now": "subito", "digest": "una volta al giorno", "off": "mai"}

func (s *site) preferences(c echo.Context, who visitor) error {
	return s.showPreferences(c, who, nil, "", "")
}

func (s *site) showPreferences(c echo.Context, who visitor, wrong *engine.Invalid, done, link string) error {
	p, err := s.Engine.Preferences(c.Request().Context(), who.Actor)
	if err != nil {
		return err
	}
	status := http.StatusOK
	v := preferencesView{Preferences: p, Faults: map[string]string{}, Calendar: link}
	if wrong != nil {
		status, v.Preferences = http.StatusUnprocessableEntity, readPreferences(c)
		v.Account, v.Habit = p.Account, p.Habit
		for _, x := range wrong.Problems {
			v.Faults[x.Pointer] = sentence(x.Text.IT)
		}
	}
	v.Modes = []option{{"", "Come per il mio ruolo (" + habits[p.Habit] + ")"}, {"now", "Subito"}, {"digest", "Un riepilogo al giorno"}, {"off", "Mai"}}
	v.Languages = []option{{"it", "Italiano"}, {"en", "English"}}
	for h := range 24 {
		v.Hours = append(v.Hours, option{strconv.Itoa(h), strconv.Itoa(h) + ":00"})
	}
	v.Digest, v.From, v.To = strconv.Itoa(v.DigestHour), strconv.Itoa(v.QuietFrom), strconv.Itoa(v.QuietTo)
	_, err = s.Engine.CalendarLink(c.Request().Context(), who.Actor)
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	v.HasCalendar, v.Hooks = err == nil, len(s.Engine.WebhookBodies(who.Actor)) > 0
	f := s.frame(who, "Come ricevo gli avvisi", "avvisi")
	f.Done = done
	return render(c, status, preferencesPage(f, v))
}

func readPreferences(c echo.Context) engine.Preferences {
	hour := func(name string) int {
		h, err := strconv.Atoi(c.FormValue(name))
		if err != nil {
			return -1 // said to be wrong by the engine
		}
		return h
	}
	return engine.Preferences{
		Email: strings.TrimSpace(c.FormValue("email")), PEC: strings.TrimSpace(c.FormValue("pec")), Mail: c.FormValue("mail"), DigestHour: hour("digest_hour"),
		QuietFrom: hour("quiet_from"), QuietTo: hour("quiet_to"), Language: c.FormValue("language"),
	}
}

func (s *site) savePreferences(c echo.Context, who visitor) error {
	err := s.Engine.SavePreferences(c.Request().Context(), who.Actor, readPreferences(c))
	var wrong *engine.Invalid
	if errors.As(err, &wrong) {
		return s.showPreferences(c, who, wrong, "", "")
	}
	if err != nil {
		return err
	}
	return s.showPreferences(c, who, nil, "Le tue scelte sono salvate.", "")
}

// calendarLink makes a new address of the visitor's calendar, or ends it.
func (s *site) calendarLink(c echo.Context, who visitor) error {
	ctx := c.Request().Context()
	if c.FormValue("togli") != "" {
		if err := s.Engine.DropCalendarLink(ctx, who.Actor); err != nil {
			return err
		}
		return s.showPreferences(c, who, nil, "L'indirizzo del calendario non vale più.", "")
	}
	secret, err := s.Engine.NewCalendarLink(ctx, who.Actor)
	if err != nil {
		return err
	}
	return s.showPreferences(c, who, nil, "", s.PublicURL+"/calendario/"+secret+".ics")
}

// calendar serves the feed behind a secret address: programs that keep calendars have no session.
func (s *site) calendar(c echo.Context, _ visitor) error {
	secret, ok := strings.CutSuffix(c.Param("file"), ".ics")
	if !ok || len(secret) > 100 {
		return engine.ErrNotFound
	}
	ics, err := s.Engine.Calendar(c.Request().Context(), secret)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Referrer-Policy", "no-referrer")
	return c.Blob(http.StatusOK, "text/calendar; charset=utf-8", ics)
}

// mailRow is a message of the local outbox.
type mailRow struct{ File, Subject, To, At string }

// mostMails bounds the page of the local outbox.
const mostMails = 200

// seesMails reports whether the visitor may look at what the program would have sent: who controls every body, where mail is kept here.
func (s *site) seesMails(who visitor) bool { return s.Outbox != nil && who.Actor.Everywhere() }

func (s *site) mails(c echo.Context, who visitor) error {
	if !s.seesMails(who) {
		return engine.ErrNotFound
	}
	names, err := fs.Glob(s.Outbox, "*.eml")
	if err != nil {
		return err
	}
	slices.Sort(names)
	slices.Reverse(names)
	var rows []mailRow
	for _, name := range names[:min(len(names), mostMails)] {
		f, err := s.Outbox.Open(name)
		if err != nil {
			return err
		}
		m, err := mail.ReadMessage(f)
		if err := errors.Join(err, f.Close()); err != nil {
			rows = append(rows, mailRow{File: name, Subject: "non leggibile"})
			continue
		}
		plain := func(h string) string {
			text, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get(h))
			if err != nil {
				return m.Header.Get(h)
			}
			return text
		}
		row := mailRow{File: name, Subject: plain("Subject"), To: plain("To")}
		if at, err := m.Header.Date(); err == nil {
			row.At = moment(at)
		}
		rows = append(rows, row)
	}
	return show(c, mailsPage(s.frame(who, "Posta in uscita", "avvisi"), rows, len(names)))
}

// mailFile shows a message as it would have left, as plain text.
func (s *site) mailFile(c echo.Context, who visitor) error {
	name := c.Param("file")
	if !s.seesMails(who) || !strings.HasSuffix(name, ".eml") || !fs.ValidPath(name) || strings.Contains(name, "/") {
		return engine.ErrNotFound
	}
	b, err := fs.ReadFile(s.Outbox, name)
	if errors.Is(err, fs.ErrNotExist) {
		return engine.ErrNotFound
	}
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "text/plain; charset=utf-8", b)
}
