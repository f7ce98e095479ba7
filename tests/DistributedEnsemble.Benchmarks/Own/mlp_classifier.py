"""Steps per second of scikit-learn's MLPClassifier, and of PyTorch where it is installed, on one thread, as JSON."""
import json, os, sys, time, warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
warnings.filterwarnings("ignore")
import numpy as np

ROWS, WIDTH, BATCH = 2000, 30, 32
SECONDS = float(sys.argv[1])
HIDDEN = {"30-64-3": (64,), "30-128-128-3": (128, 128)}
inputs = np.random.default_rng(1).random((ROWS, WIDTH)).astype(np.float32)
labels = np.arange(ROWS) % 3


def sklearn_rate(hidden):
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(hidden, solver="sgd", batch_size=BATCH, learning_rate_init=0.01, alpha=0, momentum=0.9, nesterovs_momentum=False,
                          max_iter=1, tol=0, n_iter_no_change=10**9, warm_start=True)
    model.fit(inputs, labels)
    epochs, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        model.set_params(max_iter=20).fit(inputs, labels)
        epochs += 20
    return epochs * -(-ROWS // BATCH) / (time.perf_counter() - start)


def torch_rate(hidden, dropout):
    import torch

    torch.set_num_threads(1)
    sizes, layers = (WIDTH, *hidden, 3), []
    for i in range(len(sizes) - 1):
        layers.append(torch.nn.Linear(sizes[i], sizes[i + 1]))
        if i < len(sizes) - 2:
            layers += [torch.nn.ReLU()] + ([torch.nn.Dropout(dropout)] if dropout else [])
    network = torch.nn.Sequential(*layers)
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9)
    x, y = torch.from_numpy(inputs), torch.from_numpy(labels)
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        order = torch.randperm(ROWS)
        for first in range(0, ROWS, BATCH):
            rows = order[first:first + BATCH]
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(x[rows]), y[rows]).backward()
            optimizer.step()
            steps += 1
    return steps / (time.perf_counter() - start)


def measured(name, module, rate):
    try:
        version = __import__(module).__version__
        return {f"{name} {version}": {network: rate(network) for network in HIDDEN}}
    except ImportError:
        return {}


print(json.dumps({
    **measured("scikit-learn", "sklearn", lambda network: sklearn_rate(HIDDEN[network])),
    **measured("PyTorch", "torch", lambda network: torch_rate(HIDDEN[network], 0.1 if network == "30-128-128-3" else 0)),
}))
