package notify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/province-comuni/sua/internal/notice"
)

// Folder returns a function that keeps mails as files, one .eml each, named by the notice: for an office without a mail server, and for
// a first look. Only this account can read them.
func Folder(folder string, from Sender) (func(context.Context, notice.Message) (string, error), error) {
	if _, _, err := from.domain(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("cartella della posta: %w", err)
	}
	return func(_ context.Context, m notice.Message) (string, error) {
		msg, id, err := from.compose(m)
		if err != nil {
			return "", err
		}
		f, err := os.CreateTemp(folder, "."+m.ID+"-*")
		if err != nil {
			return "", fmt.Errorf("keep mail: %w", err)
		}
		_, err = msg.WriteTo(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return "", errors.Join(fmt.Errorf("keep mail: %w", err), os.Remove(f.Name()))
		}
		return id, os.Rename(f.Name(), filepath.Join(folder, m.ID+".eml"))
	}, nil
}
