"""Train and measure a model: `python train.py task=hip_fracture backbone=densenet121`. See README.md."""

from osteon.train import main

if __name__ == "__main__":
    main()
