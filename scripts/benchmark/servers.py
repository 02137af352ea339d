"""Starts and ends what is measured: ogw, nginx, and the load generators."""

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEYS = {"OGW_ROOT_ACCESS_KEY": "BENCHKEY00000001", "OGW_ROOT_SECRET_KEY": "bench-secret/0123456789abcdefghij"}
SMALL_BYTES = 4096
SMALL_COUNT = 100
LARGE_BYTES = 64 << 20
WORKERS = 2


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One process, ended by its id."""

    def __init__(self, process, endpoint, log, folder):
        self.process = process
        self.endpoint = endpoint
        self.log = log
        self.folder = folder
        self.is_stopped = False

    @property
    def port(self):
        return int(self.endpoint.rsplit(":", 1)[1])

    def memory(self, field):
        """VmRSS or VmHWM of the process, in MiB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) / 1024
        raise RuntimeError(f"{field} is missing")

    def kill(self):
        """As a crash of the process: nothing is flushed or closed."""
        self.is_stopped = True
        self.process.kill()
        self.process.wait()

    def death(self):
        """How a server that nobody stopped has ended, and what it said last; empty while it runs."""
        if self.is_stopped or self.process.poll() is None:
            return ""
        with open(self.log, errors="replace") as file:
            text = file.read()
        # A crash report tells most where it comes to the thread that crashed.
        thread = re.search(r"^Thread \d+.* crashed:", text, re.MULTILINE)
        said = text[thread.start():thread.start() + 3000] if thread else text[-1500:]
        return f"{os.path.basename(self.folder)} ended with {self.process.returncode}: {said.strip()}"

    def stop(self):
        self.is_stopped = True
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Machine:
    """The folder of a run, the built programs, and the servers that live as long as the run."""

    def __init__(self, seconds, full=False, keys=1_000_000, log_bytes=2 << 30):
        self.seconds = seconds
        self.full = full
        self.keys = keys
        self.log_bytes = log_bytes
        self.servers = []
        self.prepared = {}

    def __enter__(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
        show = [os.path.join(ROOT, "scripts", "swift"), "build", "-c", "release", "--product", "ogw-bench"]
        build = subprocess.run(show, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if build.returncode:
            sys.exit(build.stdout[-4000:])
        self.programs = subprocess.check_output(show + ["--show-bin-path"], cwd=ROOT, text=True).strip()
        base = os.environ.get("OGW_BENCH_FOLDER", os.path.join(ROOT, ".build"))
        self.folder = tempfile.mkdtemp(prefix="bench-", dir=base)
        return self

    def __exit__(self, *_):
        for server in reversed(self.servers):
            server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Load

    def bench(self, command, **flags):
        """Runs one command of ogw-bench. Returns its JSON lines, or its text where it prints none."""
        words = [os.path.join(self.programs, "ogw-bench"), command]
        for name, value in flags.items():
            words += ["--" + name.replace("_", "-"), str(value)]
        run = subprocess.run(words, env={**os.environ, **KEYS}, stdout=subprocess.PIPE)
        # Not as text, which would turn the CR LF of a request into LF.
        out = run.stdout.decode()
        if run.returncode:
            raise RuntimeError(out)
        lines = out.splitlines()
        if lines and all(line.startswith("{") for line in lines):
            merged = {}
            for line in lines:
                merged.update(json.loads(line))
            return merged
        return out

    def wrk(self, server, connections, scheme="http", **lua):
        """Load by one thread of wrk. A signed header is good for 15 minutes, so the requests are signed just before."""
        script = os.path.join(self.folder, "load.lua")
        with open(script, "w") as file:
            file.write(self.bench("lua", endpoint=server.endpoint, **lua))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{self.seconds}s", "--timeout", "60s", "-s", script]
        out = subprocess.check_output(command + [f"{scheme}://{server.endpoint}"], text=True)
        result = json.loads(out.splitlines()[-1])
        result["mib_per_second"] = result["bytes"] / result["seconds"] / (1 << 20)
        if result["errors"]:
            raise RuntimeError(f"{result['errors']} requests failed: {out}")
        return result

    def writes(self, command, **flags):
        """As `bench`, after all that earlier loads left in the page cache is on the disk, so that nobody pays for others."""
        os.sync()
        return self.bench(command, **flags)

    # Servers

    def start(self, name, words, endpoint, environment, ready, patience=20):
        """`words` makes the command from the server's folder; `patience` is how many seconds it has until it is ready."""
        folder = os.path.join(self.folder, name)
        os.makedirs(folder, exist_ok=True)
        log = os.path.join(folder, "log")
        with open(log, "w") as output:
            process = subprocess.Popen(
                words(folder), env={**os.environ, **environment}, cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output)
        server = Server(process, endpoint, log, folder)
        self.servers.append(server)
        deadline = time.monotonic() + patience
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                with open(log) as file:
                    raise RuntimeError(f"{name} did not start: {file.read()[-2000:]}")
            time.sleep(0.01)
        return server

    def ogw(self, name="ogw", access_log="off", tls=False, content=True, settings=None, data=None, patience=20):
        """A gateway with a store of its own, or over the folder `data`. With `content` it holds what the GETs ask for."""
        if name in self.prepared:
            return self.prepared[name]
        s3, services = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        environment = {**KEYS, "OGW_ACCESS_LOG": access_log, **(settings or {})}
        if tls:
            certificate, key = self.certificate()
            environment.update(OGW_TLS_CERT=certificate, OGW_TLS_KEY=key)

        def words(folder):
            return [os.path.join(self.programs, "ogw"), "serve", "--data", data or os.path.join(folder, "data"),
                    "--s3-listen", s3, "--services-listen", services]

        server = self.start(name, words, s3, environment, lambda: self.listens(services) and self.listens(s3),
                            patience)
        self.prepared[name] = server
        if not tls and not data:
            self.bench("bucket", endpoint=s3, bucket="bench")
            if content:
                self.seed(server)
        return server

    def forget(self, server, remove=True):
        """Stops a server before the end of the run, and removes its folder."""
        server.stop()
        self.prepared = {name: other for name, other in self.prepared.items() if other is not server}
        if remove:
            shutil.rmtree(server.folder, ignore_errors=True)

    def deaths(self):
        """Of servers that ended by themselves since this was last asked."""
        said = [server.death() for server in self.servers]
        for server in self.servers:
            server.is_stopped = server.is_stopped or server.process.poll() is not None
        return "\n".join(text for text in said if text)

    def free(self):
        """Bytes free on the file system of the run."""
        return shutil.disk_usage(self.folder).free

    def seed(self, server):
        """The content of the GETs, in the store and below nginx' root."""
        os.makedirs(os.path.join(self.folder, "www", "bench"), exist_ok=True)
        www = os.path.join(self.folder, "www")
        self.bench("seed", endpoint=server.endpoint, prefix="/bench/small-", count=SMALL_COUNT, bytes=SMALL_BYTES,
                   folder=www)
        self.bench("seed", endpoint=server.endpoint, prefix="/bench/medium-", count=1, bytes=LARGE_BYTES, folder=www)

    def ogw_tls(self, name="ogw-tls"):
        """A gateway over TLS, whose store was filled over a plain listener before."""
        if name not in self.prepared:
            plain = self.ogw(name + "-seed")
            plain.stop()
            target = os.path.join(self.folder, name)
            os.makedirs(target)
            os.rename(os.path.join(plain.folder, "data"), os.path.join(target, "data"))
            self.ogw(name, tls=True)
        return self.prepared[name]

    def listens(self, address):
        host, port = address.rsplit(":", 1)
        try:
            socket.create_connection((host, int(port)), 1).close()
            return True
        except OSError:
            return False

    def nginx(self, cache=False, access_log=False, tls=False):
        """nginx serving the files that `seed` wrote, with as many worker processes as there are cores."""
        name = "nginx" + "-cache" * cache + "-log" * access_log + "-tls" * tls
        if name in self.prepared:
            return self.prepared[name]
        address = f"127.0.0.1:{free_port()}"
        www = os.path.join(self.folder, "www")
        secure = ""
        if tls:
            certificate, key = self.certificate()
            secure = f"ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.3;"

        def words(folder):
            log = os.path.join(folder, "access.log")
            temporary = " ".join(
                f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            configuration = f"""
                daemon off; worker_processes {WORKERS}; pid {folder}/pid; error_log {folder}/error;
                {"user root;" if os.geteuid() == 0 else ""}
                events {{ worker_connections 4096; }}
                http {{
                    access_log {log if access_log else "off"}; sendfile on; tcp_nopush on; server_tokens off;
                    keepalive_requests 1000000000; client_max_body_size 0; {temporary}
                    open_file_cache {"max=1000 inactive=60s" if cache else "off"};
                    server {{
                        listen {address}{" ssl" if tls else ""}; {secure} root {www};
                        location /put/ {{ root {folder}; dav_methods PUT; create_full_put_path on; }}
                    }}
                }}"""
            with open(os.path.join(folder, "nginx.conf"), "w") as file:
                file.write(configuration)
            return ["nginx", "-e", os.path.join(folder, "error"), "-p", folder, "-c", os.path.join(folder, "nginx.conf")]

        self.prepared[name] = self.start(name, words, address, {}, lambda: self.listens(address))
        return self.prepared[name]

    def certificate(self):
        certificate, key = os.path.join(self.folder, "cert.pem"), os.path.join(self.folder, "key.pem")
        if not os.path.exists(certificate):
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
                 "-out", certificate], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return certificate, key
