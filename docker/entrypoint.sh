#!/bin/sh
# What a container does: web, worker, ticker, embedded, migrate, or any command of manage.py.
set -eu
cd "${MILLRACE_HOME:-/app}"

case "${1:-web}" in
  web) shift $(($# > 0)); exec python manage.py web "$@" ;;
  worker) shift; exec python manage.py worker "$@" ;;
  ticker) shift; exec python manage.py ticker "$@" ;;
  embedded) shift; exec python manage.py serve "$@" ;;
  migrate) shift; exec python manage.py migrate --no-input "$@" ;;
  *) exec python manage.py "$@" ;;
esac
