"""Empirical NTKs by PyTorch or by neural-tangents (one library a process), for the bench of Kernelscope.

Reads one JSON request a line, answers one JSON line each:
  {"do": "load", "library": "torch"}               -> {"methods": {name: version}} or {"missing": reason}
  {"do": "run", "method": name, "row": {...}}      -> {"ms", "cpuMs", "peakMB"} or {"skip": reason}
The first runs of a method on a row prepare it (weights, compilation, caches: up to 8 runs or 0.3 s) and are not timed,
unless it is a long one; before each timed run of less than a second comes one that wakes threads and caches. Of a kernel that would take minutes a share is measured, the answer then holds it as "share",
and times are reckoned for all.
"""

import json
import os
import sys
import time

prepared = {}
took = {}
methods = {}
missing = {}


long_seconds = 20


class Partial:
    """What a run answers that stopped after a share of its work."""

    def __init__(self, share):
        self.share = share


def reason(error):
    return f"{type(error).__name__}: {error}".split("\n")[0][:200]


def reset_peak():
    try:
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")
    except OSError:
        pass


def peak_mb():
    try:
        with open("/proc/self/status") as f:
            for line in f:
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


def memory_limit():
    """Bytes that a Jacobian may take: a quarter of what is free."""
    try:
        with open("/proc/meminfo") as f:
            for line in f:
                if line.startswith("MemAvailable"):
                    return 0.25 * 1024 * int(line.split()[1])
    except OSError:
        pass
    return 2 * 2**30


def weight_shapes(row):
    """Shapes of the kernels, input to output; convolutions as (out, in, 3, 3)."""
    outputs = row["outputs"]
    if row["kind"] == "cnn":
        c, filters = row["shape"][2], row["width"]
        convs = [(filters, c if i == 0 else filters, 3, 3) for i in range(row["hidden"])]
        return convs + [(filters, outputs)]
    sizes = row["shape"] + [row["width"]] * row["hidden"] + [outputs]
    return list(zip(sizes[:-1], sizes[1:]))


def jacobian_bytes(row):
    total = 0
    for shape in weight_shapes(row):
        size = 1
        for n in shape:
            size *= n
        total += size
    return 4 * total * row["samples"] * row["outputs"]


def torch_setup():
    import torch
    from torch.func import functional_call, jacrev, vmap  # noqa: F401

    def network(row):
        """A function of one sample and the weights; and the weights."""
        torch.manual_seed(1)
        act = torch.tanh if row["activation"] == "tanh" else torch.relu
        params = []
        for shape in weight_shapes(row):
            fan = shape[0] if len(shape) == 2 else shape[1] * 9
            bias = [torch.zeros(shape[1] if len(shape) == 2 else shape[0])] if row["bias"] else []
            params.append([torch.randn(*shape) / fan**0.5, *bias])

        def f(p, x):
            h = x.unsqueeze(0)
            for layer, (w, *b) in enumerate(p):
                if w.dim() == 4:
                    h = act(torch.nn.functional.conv2d(h, w, b[0] if b else None, padding=1))
                    continue
                if h.dim() == 4:
                    h = h.mean((2, 3))
                h = h @ w
                if b:
                    h = h + b[0]
                if layer < len(p) - 1:
                    h = act(h)
            return h[0]

        shape = row["shape"]
        x = torch.randn(row["samples"], *(shape if len(shape) == 1 else [shape[2], shape[0], shape[1]]))
        return f, params, x

    def jacobian(row):
        """Jacobian contraction; where the Jacobian does not fit, in pairs of blocks of samples, each computed anew."""
        f, params, x = network(row)
        jac = jacrev(f)
        n = row["samples"]
        size = n
        while size > 1 and jacobian_bytes(row) * size / n * (1 if size == n else 2) > memory_limit():
            size = (size + 1) // 2
        starts = list(range(0, n, size))
        pairs = [(i, j) for i in starts for j in starts if j >= i]

        def block(i):
            j = vmap(lambda s: jac(params, s))(x[i : i + size])
            return [g.reshape(g.shape[0], g.shape[1] * g[0, 0].numel()) for layer in j for g in layer]

        def run():
            k = torch.zeros(n, n)
            begin = time.perf_counter()
            with torch.no_grad():
                for done, (i, j) in enumerate(pairs):
                    if len(pairs) > 1 and done > 0 and time.perf_counter() - begin > long_seconds:
                        return Partial(done / len(pairs))
                    left = block(i)
                    right = left if j == i else block(j)
                    part = sum(a @ b.T for a, b in zip(left, right)) / row["outputs"]
                    k[i : i + size, j : j + size] = part
                    if j > i:
                        k[j : j + size, i : i + size] = part.T
                return k.numpy()

        run.long = len(pairs) > 1
        return run

    def closed(row):
        """Products of matrices written down by hand, the way an expert would; dense networks only."""
        if row["kind"] != "mlp":
            raise NotImplementedError("written for dense networks only")
        _, params, x = network(row)
        tanh = row["activation"] == "tanh"
        n, outputs = row["samples"], row["outputs"]

        def run():
            with torch.no_grad():
                inputs, slopes, h = [], [], x
                for layer, (w, *b) in enumerate(params):
                    inputs.append(h)
                    z = torch.addmm(b[0], h, w) if b else h @ w
                    if layer < len(params) - 1:
                        h = torch.tanh(z) if tanh else torch.relu(z)
                        slopes.append(1 - h * h if tanh else (z > 0).float())
                d = torch.eye(outputs).repeat(n, 1)
                k = torch.zeros(n, n)
                for layer in reversed(range(len(params))):
                    a, row_wise = inputs[layer], d.reshape(n, -1)
                    gram = a @ a.T
                    if len(params[layer]) > 1:
                        gram += 1
                    k += gram * (row_wise @ row_wise.T)
                    if layer > 0:
                        d = d @ params[layer][0].T
                        d = (d.reshape(n, outputs, -1) * slopes[layer - 1][:, None]).reshape(n * outputs, -1)
                return (k / outputs).numpy()

        return run

    methods["torch.func Jacobian contraction"] = (torch.__version__, jacobian)
    methods["torch by hand"] = (torch.__version__, closed)


def mend_jax():
    """Gives jax back the two names that neural-tangents 0.6.5 asks for and jax 0.4.24 to 0.4.35 no longer show."""
    from types import SimpleNamespace

    from jax._src import source_info_util
    from jax.interpreters import ad

    names = {"source_info_util": source_info_util, "config": SimpleNamespace(jax_enable_checks=False)}
    for name, value in names.items():
        if name not in vars(ad):
            setattr(ad, name, value)


def tangents_setup():
    import jax

    mend_jax()
    import neural_tangents as nt
    import numpy as np

    def by(implementation):
        def prepare(row):
            contracted = implementation == nt.NtkImplementation.JACOBIAN_CONTRACTION
            if contracted and jacobian_bytes(row) > memory_limit():
                raise MemoryError(f"the Jacobian alone takes {jacobian_bytes(row) / 2**30:.0f} GiB")
            rng = np.random.default_rng(1)
            act = jax.numpy.tanh if row["activation"] == "tanh" else jax.nn.relu
            params = []
            for shape in weight_shapes(row):
                fan = shape[0] if len(shape) == 2 else shape[1] * 9
                w = rng.standard_normal(shape) / fan**0.5
                if len(shape) == 4:
                    w = w.transpose(2, 3, 1, 0)
                bias = [np.zeros(shape[1] if len(shape) == 2 else shape[0], np.float32)] if row["bias"] else []
                params.append([w.astype(np.float32), *bias])

            def f(p, x):
                h = x
                for layer, (w, *b) in enumerate(p):
                    if w.ndim == 4:
                        h = jax.lax.conv_general_dilated(
                            h, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
                        )
                        h = act(h + b[0] if b else h)
                        continue
                    if h.ndim == 4:
                        h = h.mean((1, 2))
                    h = h @ w
                    if b:
                        h = h + b[0]
                    if layer < len(p) - 1:
                        h = act(h)
                return h

            x = rng.standard_normal((row["samples"], *row["shape"])).astype(np.float32)
            kernel = jax.jit(nt.empirical_ntk_fn(f, trace_axes=(-1,), vmap_axes=0, implementation=implementation))
            x, params = jax.device_put(x), jax.device_put(params)
            return lambda: np.asarray(kernel(x, None, params))

        return prepare

    version = f"{getattr(nt, '__version__', '?')} on jax {jax.__version__}"
    methods["neural-tangents structured"] = (version, by(nt.NtkImplementation.STRUCTURED_DERIVATIVES))
    methods["neural-tangents Jacobian contraction"] = (version, by(nt.NtkImplementation.JACOBIAN_CONTRACTION))


def load(library):
    try:
        {"torch": torch_setup, "neural-tangents": tangents_setup}[library]()
        # A small kernel shows whether the library and its dependencies fit together.
        small = {"kind": "mlp", "samples": 4, "shape": [3], "width": 5, "hidden": 1, "outputs": 1}
        for _, prepare in methods.values():
            prepare({**small, "activation": "tanh", "bias": True})()
    except Exception as error:  # a missing package is told, not fatal
        return {"missing": reason(error)}
    return {"methods": {name: version for name, (version, _) in methods.items()}}


def warm_up(run):
    start = time.perf_counter()
    run()
    for _ in range(7):
        if time.perf_counter() - start > 0.3:
            return
        run()


def answer(request):
    if request["do"] == "load":
        return load(request["library"])
    method, row = request["method"], request["row"]
    key = (method, row["name"])
    try:
        if key not in prepared:
            for old in [k for k in prepared if k[1] != row["name"]]:
                del prepared[old]
            prepared[key] = methods[method][1](row)
            if not getattr(prepared[key], "long", False):
                warm_up(prepared[key])
        if took.get(key, 1000) < 1000:
            prepared[key]()
        reset_peak()
        start, cpu = time.perf_counter(), time.process_time()
        result = prepared[key]()
        took[key] = 1000 * (time.perf_counter() - start)
        ms, cpu_ms = 1000 * (time.perf_counter() - start), 1000 * (time.process_time() - cpu)
        if isinstance(result, Partial):
            share = result.share
            return {"ms": ms / share, "cpuMs": cpu_ms / share, "peakMB": peak_mb(), "share": share}
        return {"ms": ms, "cpuMs": cpu_ms, "peakMB": peak_mb()}
    except Exception as error:
        return {"skip": reason(error)}


# What libraries print must not get between the answers.
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    out.write(json.dumps(answer(json.loads(line))) + "\n")
    out.flush()
