"""Complete recipes; `extends:` derives one from another."""
