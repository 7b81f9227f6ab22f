import pathlib
import tomllib

from flask import Flask, render_template, send_from_directory

settings = tomllib.loads(pathlib.Path("settings.toml").read_text())
app = Flask("herbarium", static_folder="../static")


@app.get("/")
def index():
    names = sorted(p.name for p in pathlib.Path(settings["data"]).glob("*.jpg"))
    return render_template("index.html", names=names)


@app.get("/plants/<name>")
def plant(name):
    return send_from_directory(settings["data"], name)


def serve(listen: str):
    host, _, port = listen.rpartition(":")
    app.run(host=host or "0.0.0.0", port=int(port), debug=settings["debug"])
