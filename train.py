"""Train and measure a model: `python train.py task=hip_fracture backbone=densenet121`. See README.md."""

try:
    from osteon.train import main
except ModuleNotFoundError as fault:
    if fault.name != "osteon":
        raise
    raise SystemExit(
        "osteon is not installed for this Python. Run: make install; then: .venv/bin/python train.py"
    ) from None

if __name__ == "__main__":
    main()
