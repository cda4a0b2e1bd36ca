package rota

// Copied is what became of a copy of a store (P25).
type Copied struct {
	From        string     `json:"from" doc:"where the source is, without secrets"`
	To          string     `json:"to"`
	Incarnation int        `json:"incarnation" doc:"of the copy"`
	Tables      []TableSum `json:"tables"`
	Lost        int        `json:"lost,omitempty" doc:"attempts that ran in the source, and are lost in the copy"`
	Replaced    int        `json:"replaced,omitempty" doc:"texts that had bytes which PostgreSQL cannot store: U+FFFD stands for them now"`
	Nodes       []string   `json:"nodes,omitempty" doc:"nodes that had a session open in the source"`
}

// TableSum is what a table has: the same sum is the same rows, whatever the engine.
type TableSum struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	Sum   string `json:"sha256" doc:"of the rows in the order of their keys"`
}

// Rows is how many rows there are in all tables.
func (c *Copied) Rows() (n int64) {
	for _, t := range c.Tables {
		n += t.Rows
	}
	return n
}

// CopyStep is how far a copy has come.
type CopyStep struct {
	Table    string
	Checking bool  // the rows are read again and compared
	Rows     int64 // of all tables, copied and checked
	Of       int64 // there will be
}
