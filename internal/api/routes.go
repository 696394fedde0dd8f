package api

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/auth"
)

// routes collects the operations of one API.
type routes struct {
	*service
	api huma.API
}

// operation is what a handler says of itself; add fills in what every operation has in common.
type operation struct {
	id, method, path string
	tag              string
	summary          string // a few Italian words
	description      string // what a client must know
	open             bool   // needs no token
	status           int    // on success; 0 is 200
	errors           []int  // besides those that follow from the rest
	body             *huma.RequestBody
	content          map[string]*huma.MediaType // of an answer that is not JSON
	media            string                     // media type of a JSON answer that is not application/json
}

// add registers an operation and, for GET, its HEAD. Errors of h become problems; huma keeps routing, parameters and description.
// The request body is read by the handler (see strict.go) and only described here: huma would answer in English and echo it.
func add[I, O any](r *routes, op operation, h func(context.Context, *I) (*O, error)) {
	handler := func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, problemOf(err)
		}
		return out, nil
	}
	registered := r.describe(op)
	huma.Register(r.api, registered, handler)
	item := r.api.OpenAPI().Paths[op.path]
	for _, o := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
		if o != nil && o.OperationID == op.id {
			o.RequestBody = op.body
			o.Responses[strconv.Itoa(registered.DefaultStatus)].Headers = successHeaders(o.Responses[strconv.Itoa(registered.DefaultStatus)].Headers)
		}
	}
	if op.method == http.MethodGet {
		head := r.describe(op)
		head.Method, head.OperationID, head.Hidden = http.MethodHead, op.id+"-head", true
		huma.Register(r.api, head, handler)
	}
}

func (r *routes) describe(op operation) huma.Operation {
	o := huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Summary: op.summary, Description: op.description,
		Tags: []string{op.tag}, DefaultStatus: op.status, Responses: map[string]*huma.Response{},
		RejectUnknownQueryParameters: true,
		Security:                     []map[string][]string{{"bearer": {}}},
	}
	if o.DefaultStatus == 0 {
		o.DefaultStatus = http.StatusOK
	}
	if op.open {
		o.Security = []map[string][]string{{}}
	}
	if op.content != nil || op.media != "" {
		content := op.content
		if content == nil {
			content = map[string]*huma.MediaType{op.media: {}}
		}
		o.Responses[strconv.Itoa(o.DefaultStatus)] = &huma.Response{Description: http.StatusText(o.DefaultStatus), Content: content}
	}
	problem := r.schema(reflect.TypeFor[Problem](), true)
	for _, status := range op.statuses() {
		o.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: title(status), Headers: errorHeaders(status),
			Content: map[string]*huma.MediaType{problemMedia: {Schema: problem}},
		}
	}
	return o
}

// statuses are the errors of an operation: its own, and those that follow from tokens, parameters and body.
func (op operation) statuses() []int {
	all := []int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}
	if op.method != http.MethodGet {
		all = append(all, http.StatusInsufficientStorage)
	}
	if !op.open {
		all = append(all, http.StatusUnauthorized, http.StatusForbidden)
	}
	if op.body != nil {
		all = append(all, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	all = append(all, op.errors...)
	slices.Sort(all)
	return slices.Compact(all)
}

func (r *routes) schema(t reflect.Type, ref bool) *huma.Schema {
	return r.api.OpenAPI().Components.Schemas.Schema(t, ref, t.Name())
}

// caller is embedded in the input of operations: who asks, and the request as it came.
type caller struct {
	actor auth.Actor
	echo  echo.Context
}

const actorKey = "sua.actor"

// Resolve takes from the request what huma's parameters do not carry.
func (c *caller) Resolve(ctx huma.Context) []error {
	c.echo = humaecho.Unwrap(ctx)
	c.actor, _ = c.echo.Get(actorKey).(auth.Actor) // the zero actor, where no token is asked, may do nothing
	return nil
}

// path is the address of something of ours, relative to the host.
func path(format string, args ...any) reference {
	return reference(Prefix + fmt.Sprintf(format, args...))
}

// optional is a boolean parameter that may be absent.
type optional struct {
	value bool
	set   bool
}

// Receiver gives huma the place to parse into.
func (o *optional) Receiver() reflect.Value { return reflect.ValueOf(&o.value).Elem() }

// OnParamSet records whether the parameter was there.
func (o *optional) OnParamSet(set bool, _ any) { o.set = set }

// Schema describes it as a plain boolean.
func (*optional) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: huma.TypeBoolean} }

func (o *optional) pointer() *bool {
	if !o.set {
		return nil
	}
	return &o.value
}
