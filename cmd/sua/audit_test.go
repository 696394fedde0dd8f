package main

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// imported is a database with the sample of ANAC's open data; it returns the id of a root case.
func imported(t *testing.T) (root string, db *sql.DB) {
	t.Helper()
	files, err := filepath.Glob("../../internal/exchange/testdata/*.csv")
	if err != nil || len(files) == 0 {
		t.Fatal("no sample")
	}
	if _, _, err := sua(t, "import", "anac-cig", files[0]); err != nil {
		t.Fatal(err)
	}
	db, err = sql.Open("sqlite", "file:"+strings.TrimPrefix(os.Getenv("SUA_DATABASE_URL"), "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.QueryRow("SELECT root FROM events ORDER BY root LIMIT 1").Scan(&root); err != nil {
		t.Fatal(err)
	}
	return root, db
}

// The export of a story that holds says nothing and ends well; of one that does not the file is written, and the command warns.
func TestExportOfABrokenStoryWarns(t *testing.T) {
	root, db := imported(t)
	file := filepath.Join(t.TempDir(), "f.zip")
	if out, errs, err := again(t, "audit", "export", root, "-o", file); err != nil || errs != "" || !strings.Contains(out, "scritto") {
		t.Fatalf("export: %v\n%s%s", err, out, errs)
	}
	if out, _, err := again(t, "audit", "check", file); err != nil {
		t.Fatalf("check: %v\n%s", err, out)
	}
	if _, err := db.Exec("UPDATE cases SET state = 'lost' WHERE id = ?", root); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	out, errs, err := again(t, "audit", "export", root, "-o", file)
	if !errors.Is(err, errSaid) || !strings.Contains(out, "scritto") || !strings.Contains(errs, "ATTENZIONE: la storia esportata non torna") || !strings.Contains(errs, "la pratica dice «lost»") {
		t.Errorf("export of a broken story: %v\n%s%s", err, out, errs)
	}
	if out, _, err := again(t, "audit", "check", file); !errors.Is(err, errSaid) || !strings.Contains(out, "NON TORNA") || !strings.Contains(out, "già all'esportazione") {
		t.Errorf("check of its file: %v\n%s", err, out)
	}
}
