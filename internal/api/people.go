package api

import (
	"context"
	"net/http"

	"github.com/province-comuni/sua/internal/auth"
)

// me is the person who asks.
type me struct {
	ID    ident      `json:"id"`
	Name  line       `json:"name"`
	Demo  bool       `json:"demo" doc:"Account dimostrativo"`
	Roles list[held] `json:"roles"`
}

// held is a role in a body.
type held struct {
	Role ident `json:"role"`
	Body *ref  `json:"body,omitempty" doc:"Assente: in ogni ente"`
}

type meOutput struct{ Body me }

func (s *service) me(ctx context.Context, in *workflowsInput) (*meOutput, error) {
	bodies, err := s.Engine.Bodies(ctx, in.actor)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, b := range bodies {
		names[b.ID] = b.Name
	}
	return &meOutput{me{
		ID: ident(in.actor.ID), Name: line(in.actor.Name), Demo: in.actor.Demo,
		Roles: each(in.actor.Memberships, func(m auth.Membership) held {
			if m.Body == auth.AllBodies {
				return held{Role: ident(m.Role)}
			}
			return held{ident(m.Role), &ref{ident(m.Body), line(names[m.Body])}}
		}),
	}}, nil
}

type refsOutput struct{ Body items[ref] }

func (s *service) bodies(ctx context.Context, in *workflowsInput) (*refsOutput, error) {
	all, err := s.Engine.Bodies(ctx, in.actor)
	if err != nil {
		return nil, err
	}
	return &refsOutput{items[ref]{each(all, refBody)}}, nil
}

func (s *service) people(ctx context.Context, in *workflowsInput) (*refsOutput, error) {
	all, err := s.Engine.People(ctx, in.actor)
	if err != nil {
		return nil, err
	}
	return &refsOutput{items[ref]{each(all, refBody)}}, nil
}

func (s *service) peopleRoutes(r *routes) {
	add(r, operation{
		id: "list-bodies", method: http.MethodGet, path: "/bodies", tag: "enti",
		summary:     "Gli enti",
		description: "Gli enti per cui chi chiede può filtrare l'elenco delle pratiche.",
	}, s.bodies)
	add(r, operation{
		id: "list-people", method: http.MethodGet, path: "/people", tag: "enti",
		summary:     "Le persone",
		description: "Le persone degli enti di chi chiede: per i dati di tipo person.",
	}, s.people)
	add(r, operation{
		id: "me", method: http.MethodGet, path: "/me", tag: "enti",
		summary:     "Chi sono",
		description: "La persona a cui appartiene il token, con i suoi ruoli.",
	}, s.me)
}
