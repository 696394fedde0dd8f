package exchange

// memory keeps the last rows of the file by CIG, in two generations, so that it never grows: rows of one lot stand together in
// ANAC's files, and those further apart are simply read as news of the lot.
type memory struct {
	young, old map[string]sight
}

// sight is what is remembered of a row.
type sight struct {
	tender    string
	secondary bool
	hash      uint64
	batch, at int // where it waits to be written
}

const generation = 50_000

func (m *memory) find(cig string) (sight, bool) {
	if s, ok := m.young[cig]; ok {
		return s, true
	}
	s, ok := m.old[cig]
	return s, ok
}

func (m *memory) keep(cig string, s sight) {
	if len(m.young) >= generation || m.young == nil {
		m.young, m.old = make(map[string]sight), m.young
	}
	m.young[cig] = s
}
