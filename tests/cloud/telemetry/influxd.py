"""A real InfluxDB 1.6.7 behind a real nginx that gives it the write address of InfluxDB 2, on ports of their own.

`python -m tests.cloud.telemetry.influxd FOLDER` runs both until the end of its input; the file `url` there says where.
"""

import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port
from tests.programs import require_program
from tests.waiting import wait_until

START_S = 30.0
STOP_S = 10.0

_INFLUXD = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"

[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
  {data}
[coordinator]
  max-concurrent-queries = 0
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
[continuous_queries]
  enabled = false
[http]
  bind-address = "127.0.0.1:{http}"
  log-enabled = false
  {web}
"""
_NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location = /api/v2/write {{
            proxy_pass http://127.0.0.1:{http}/write?db=$arg_bucket&precision=$arg_precision;
        }}
        location / {{ proxy_pass http://127.0.0.1:{http}; }}
    }}
}}
"""


class Influx:
    """One InfluxDB and its nginx; `url` is where Watchroom finds them."""

    def __init__(self, folder: Path, *, data: str = "", web: str = "", store: Path | None = None) -> None:
        """Write their settings in `folder`; `store` holds the data where that is to be another disk.

        `data` and `web` are further lines for its sections [data] and [http].
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.http_port, self._nginx_port = free_port(), free_port()
        ports = {"rpc": free_port(), "http": self.http_port, "port": self._nginx_port}
        (folder / "influxd.conf").write_text(_INFLUXD.format(folder=store or folder, data=data, web=web, **ports))
        (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, **ports))
        self._influxd: subprocess.Popen[bytes] | None = None
        self._nginx: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address as of an InfluxDB 2."""
        return f"http://127.0.0.1:{self._nginx_port}"

    def start(self) -> None:
        """Start what does not run, and come back once it answers."""
        if self._influxd is None:
            program = require_program("influxd")
            log = (self._folder / "influxd.log").open("ab")
            with log:
                command = [str(program), "run", "-config", str(self._folder / "influxd.conf")]
                self._influxd = subprocess.Popen(command, stdout=log, stderr=log)
        if self._nginx is None:
            program = require_program("nginx")
            command = [str(program), "-p", str(self._folder), "-c", str(self._folder / "nginx.conf")]
            self._nginx = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_until(self._answers, what="InfluxDB answers through nginx", deadline_s=START_S)

    def kill(self) -> None:
        """End InfluxDB alone, at once: nginx then answers 502."""
        assert self._influxd is not None
        self._influxd.kill()
        self._influxd.wait()
        self._influxd = None

    def kill_nginx(self) -> None:
        """End nginx alone: nobody listens any more."""
        assert self._nginx is not None
        self._nginx.kill()
        self._nginx.wait()
        self._nginx = None

    def stop(self) -> None:
        """End both."""
        for process in (self._nginx, self._influxd):
            if process is not None:
                process.kill()
                process.wait(STOP_S)
        self._influxd = self._nginx = None

    def _answers(self) -> bool:
        for process in (self._influxd, self._nginx):
            assert process is not None and process.poll() is None, f"ended by itself: see {self._folder}"
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=5) as answer:
                return bool(answer.status == 204)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


@contextmanager
def running_influx(folder: Path, *, data: str = "", web: str = "", store: Path | None = None) -> Iterator[Influx]:
    """Both servers, with what they keep in `folder`, and gone afterwards."""
    influx = Influx(folder, data=data, web=web, store=store)
    try:
        influx.start()
        yield influx
    finally:
        influx.stop()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # both servers end with this process
    with running_influx(Path(sys.argv[1])) as running:
        (Path(sys.argv[1]) / "url").write_text(running.url, encoding="ascii")
        print("ready", flush=True)
        sys.stdin.read()
