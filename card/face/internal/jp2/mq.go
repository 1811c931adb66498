package jp2

// mq is the arithmetic coder of annex C.
type mq struct {
	out    []byte // out[0] is the octet before the first
	a, c   uint32
	count  int
	states [19]mqState
}

type mqState struct {
	index uint8
	mps   uint8
}

// contexts of annex D: 0 to 8 significance, then these.
const (
	ctxSign    = 9
	ctxRefine  = 14
	ctxRun     = 17
	ctxUniform = 18
)

func newMQ() *mq {
	m := &mq{out: []byte{0}, a: 0x8000, count: 12}
	m.states[0].index, m.states[ctxRun].index, m.states[ctxUniform].index = 4, 3, 46
	return m
}

func (m *mq) encode(ctx int, bit uint8) {
	s := &m.states[ctx]
	row := mqTable[s.index]
	qe := uint32(row.qe)
	m.a -= qe
	if bit == s.mps {
		if m.a&0x8000 != 0 {
			m.c += qe
			return
		}
		if m.a < qe {
			m.a = qe
		} else {
			m.c += qe
		}
		s.index = row.nmps
	} else {
		if m.a < qe {
			m.c += qe
		} else {
			m.a = qe
		}
		s.mps ^= row.flip
		s.index = row.nlps
	}
	for {
		m.a <<= 1
		m.c <<= 1
		if m.count--; m.count == 0 {
			m.byteOut()
		}
		if m.a&0x8000 != 0 {
			return
		}
	}
}

func (m *mq) byteOut() {
	last := &m.out[len(m.out)-1]
	if *last != 0xFF && m.c&0x8000000 != 0 {
		*last++ // the carry
		m.c &= 0x7FFFFFF
	}
	if *last == 0xFF {
		m.out = append(m.out, byte(m.c>>20))
		m.c &= 0xFFFFF
		m.count = 7
		return
	}
	m.out = append(m.out, byte(m.c>>19))
	m.c &= 0x7FFFF
	m.count = 8
}

// flush ends the code and gives its octets.
func (m *mq) flush() []byte {
	top := m.c + m.a
	m.c |= 0xFFFF
	if m.c >= top {
		m.c -= 0x8000
	}
	for range 2 {
		m.c <<= m.count
		m.byteOut()
	}
	if m.out[len(m.out)-1] == 0xFF {
		m.out = m.out[:len(m.out)-1]
	}
	return m.out[1:]
}

// mqTable is table C.2.
var mqTable = [47]struct {
	qe         uint16
	nmps, nlps uint8
	flip       uint8
}{
	{0x5601, 1, 1, 1}, {0x3401, 2, 6, 0}, {0x1801, 3, 9, 0}, {0x0AC1, 4, 12, 0}, {0x0521, 5, 29, 0}, {0x0221, 38, 33, 0},
	{0x5601, 7, 6, 1}, {0x5401, 8, 14, 0}, {0x4801, 9, 14, 0}, {0x3801, 10, 14, 0}, {0x3001, 11, 17, 0}, {0x2401, 12, 18, 0},
	{0x1C01, 13, 20, 0}, {0x1601, 29, 21, 0}, {0x5601, 15, 14, 1}, {0x5401, 16, 14, 0}, {0x5101, 17, 15, 0}, {0x4801, 18, 16, 0},
	{0x3801, 19, 17, 0}, {0x3401, 20, 18, 0}, {0x3001, 21, 19, 0}, {0x2801, 22, 19, 0}, {0x2401, 23, 20, 0}, {0x2201, 24, 21, 0},
	{0x1C01, 25, 22, 0}, {0x1801, 26, 23, 0}, {0x1601, 27, 24, 0}, {0x1401, 28, 25, 0}, {0x1201, 29, 26, 0}, {0x1101, 30, 27, 0},
	{0x0AC1, 31, 28, 0}, {0x09C1, 32, 29, 0}, {0x08A1, 33, 30, 0}, {0x0521, 34, 31, 0}, {0x0441, 35, 32, 0}, {0x02A1, 36, 33, 0},
	{0x0221, 37, 34, 0}, {0x0141, 38, 35, 0}, {0x0111, 39, 36, 0}, {0x0085, 40, 37, 0}, {0x0049, 41, 38, 0}, {0x0025, 42, 39, 0},
	{0x0015, 43, 40, 0}, {0x0009, 44, 41, 0}, {0x0005, 45, 42, 0}, {0x0001, 45, 43, 0}, {0x5601, 46, 46, 0},
}
