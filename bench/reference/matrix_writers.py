"""Classifier files that do not come out of torch.onnx.

Keras writes its own (channels last). tf2onnx, Paddle2ONNX and skl2onnx are written here by hand in the form that those
converters give a small network, for they need packages that not every machine can have: the names, the operators and
the order of axes are theirs, the networks are ours. The last ones are quantised and gated by hand.
"""

import functools

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.nn import functional as F


class KerasFile(torch.nn.Module):
    """A Keras model that ends in a softmax; called, the logits before it, for NCHW images."""

    def __init__(self, make, channels):
        super().__init__()
        import keras

        self.logits = make(keras)
        self.whole = keras.Model(self.logits.inputs, keras.layers.Softmax()(self.logits.outputs[0]))
        self.channels = channels

    def forward(self, x):
        return self.logits(x.permute(0, 2, 3, 1), training=False)

    def settle(self, x):
        """Batch norms take the statistics of these images."""
        import keras

        for layer in self.logits._flatten_layers():
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = 0.0
        self.logits(x.permute(0, 2, 3, 1), training=True)

    def write(self, path, row):
        # Keras exports what it has seen called.
        self.whole(torch.zeros(1, row.size, row.size, self.channels))
        self.whole.export(path, format="onnx", opset_version=row.opset, verbose=False)


def keras_cnn(keras):
    layers = keras.layers
    return keras.Sequential([
        keras.Input((28, 28, 1)), layers.Rescaling(1 / 2.0),
        layers.Conv2D(8, 3, padding="same", activation="relu"), layers.BatchNormalization(), layers.MaxPooling2D(),
        layers.SeparableConv2D(16, 3, strides=2, padding="same"), layers.LeakyReLU(), layers.Dropout(0.3),
        layers.DepthwiseConv2D(3, padding="valid", activation="swish"), layers.ZeroPadding2D(1), layers.AveragePooling2D(2),
        layers.Flatten(), layers.Dense(24, activation="elu"), layers.Dense(10),
    ])


def keras_application(name, size, keras, **options):
    make = getattr(keras.applications, name)
    return make(weights=None, input_shape=(size, size, 3), classes=10, classifier_activation=None, **options)


class Written(torch.nn.Module):
    """A network and the graph that a converter makes of it; subclasses add nodes by `self.add`."""

    def begin(self):
        self.nodes, self.constants = [], []

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, name, parameter):
        return self.constant(name, parameter.detach().numpy())

    def add(self, op, inputs, outputs, **attributes):
        outputs = [outputs] if isinstance(outputs, str) else outputs
        self.nodes.append(helper.make_node(op, inputs, outputs, name=f"{op}__{len(self.nodes)}", **attributes))
        return outputs[0]

    def save(self, path, opset, producer, inputs, outputs, more=()):
        imports = [helper.make_opsetid("", opset), *more]
        graph = helper.make_graph(self.nodes, producer, inputs, outputs, self.constants)
        onnx.save(helper.make_model(graph, opset_imports=imports, producer_name=producer, ir_version=6), path)


class Tf2onnx(Written):
    """Strided SAME convolutions between transposes, batch norm, softmax; channels last."""

    def __init__(self):
        super().__init__()
        self.c1 = torch.nn.Conv2d(3, 8, 3)
        self.bn = torch.nn.BatchNorm2d(8, eps=1e-3)
        self.c2 = torch.nn.Conv2d(8, 16, 3)
        self.dw = torch.nn.Conv2d(16, 16, 3, groups=16, bias=False)
        self.f1 = torch.nn.Linear(16 * 8 * 8, 24)
        self.f2 = torch.nn.Linear(24, 10)

    def forward(self, x):
        x = F.relu6(self.bn(self.c1(F.pad(x, (1, 1, 1, 1)))))
        x = F.relu(F.conv2d(F.pad(x, (0, 1, 0, 1)), self.c2.weight, self.c2.bias, 2))
        x = self.dw(F.pad(x, (1, 1, 1, 1)))
        x = F.max_pool2d(x, 2)
        return self.f2(torch.tanh(self.f1(x.permute(0, 2, 3, 1).flatten(1))))

    def write(self, path, row):
        self.begin()
        v = self.add("Transpose", ["input_1:0"], "model/conv/Conv2D__6:0", perm=[0, 3, 1, 2])
        v = self.add("Conv", [v, self.weight("model/conv/Conv2D/ReadVariableOp:0", self.c1.weight), self.weight("model/conv/BiasAdd:0", self.c1.bias)], "conv:0", auto_pad="SAME_UPPER", kernel_shape=[3, 3], strides=[1, 1], dilations=[1, 1], group=1)
        names = [self.weight("bn/gamma:0", self.bn.weight), self.weight("bn/beta:0", self.bn.bias), self.constant("bn/mean:0", self.bn.running_mean.numpy()), self.constant("bn/var:0", self.bn.running_var.numpy())]
        v = self.add("BatchNormalization", [v, *names], "bn:0", epsilon=float(self.bn.eps))
        v = self.add("Transpose", [v], "bn_nhwc:0", perm=[0, 2, 3, 1])
        v = self.add("Clip", [v, self.constant("zero", np.float32(0)), self.constant("six", np.float32(6))], "relu6:0")
        v = self.add("Transpose", [v], "relu6_nchw:0", perm=[0, 3, 1, 2])
        v = self.add("Conv", [v, self.weight("conv2/kernel:0", self.c2.weight), self.weight("conv2/bias:0", self.c2.bias)], "conv2:0", auto_pad="SAME_UPPER", kernel_shape=[3, 3], strides=[2, 2], group=1)
        v = self.add("Relu", [v], "relu:0")
        v = self.add("Conv", [v, self.weight("depthwise/kernel:0", self.dw.weight)], "depthwise:0", pads=[1, 1, 1, 1], kernel_shape=[3, 3], group=16)
        v = self.add("MaxPool", [v], "pool:0", kernel_shape=[2, 2], strides=[2, 2], auto_pad="VALID")
        v = self.add("Transpose", [v], "pool_nhwc:0", perm=[0, 2, 3, 1])
        v = self.add("Reshape", [v, self.constant("flatten/Const:0", np.array([-1, 1024]))], "flat:0")
        for name, layer in (("dense", self.f1), ("dense_1", self.f2)):
            v = self.add("MatMul", [v, self.constant(f"{name}/kernel:0", layer.weight.detach().numpy().T)], f"{name}/MatMul:0")
            v = self.add("Add", [v, self.weight(f"{name}/bias:0", layer.bias)], f"{name}/BiasAdd:0")
            v = self.add("Tanh", [v], f"{name}/Tanh:0") if name == "dense" else v
        self.add("Softmax", [v], "Identity:0", **({} if row.opset < 13 else {"axis": -1}))
        self.save(path, row.opset, "tf2onnx", [helper.make_tensor_value_info("input_1:0", TensorProto.FLOAT, ["unk__21", 32, 32, 3])], [helper.make_tensor_value_info("Identity:0", TensorProto.FLOAT, ["unk__22", 10])])


class Paddle(Written):
    """Batch norm kept apart, biases by Reshape and Add, flatten by Shape, Slice and Concat."""

    def __init__(self):
        super().__init__()
        self.c1 = torch.nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.b1 = torch.nn.BatchNorm2d(8)
        self.c2 = torch.nn.Conv2d(8, 12, 3, padding=1)
        self.squeeze = torch.nn.Conv2d(12, 12, 1)
        self.fc = torch.nn.Linear(12 * 16, 10)

    def forward(self, x):
        x = self.b1(self.c1(x))
        x = x * torch.clamp(x / 6 + 0.5, 0, 1)
        x = self.c2(x)
        x = x * torch.clamp(self.squeeze(F.adaptive_avg_pool2d(x, 1)) / 6 + 0.5, 0, 1)
        return self.fc(F.avg_pool2d(x, 3, 2, 1).flatten(1)[:, : 12 * 16])

    def write(self, path, row):
        self.begin()
        v = self.add("Conv", ["x", self.weight("conv2d_0.w_0", self.c1.weight)], "conv2d_0.tmp_0", strides=[2, 2], pads=[1, 1, 1, 1], kernel_shape=[3, 3], dilations=[1, 1], group=1)
        v = self._bias(v, "conv2d_0.b_0", self.c1.bias)
        names = [self.weight("batch_norm_0.w_0", self.b1.weight), self.weight("batch_norm_0.b_0", self.b1.bias), self.constant("batch_norm_0.w_1", self.b1.running_mean.numpy()), self.constant("batch_norm_0.w_2", self.b1.running_var.numpy())]
        v = self.add("BatchNormalization", [v, *names], "batch_norm_0.tmp_2", epsilon=float(self.b1.eps), momentum=0.9)
        gate = self.add("HardSigmoid", [v], "p2o.HardSigmoid.0", alpha=1 / 6, beta=0.5)
        v = self.add("Mul", [v, gate], "hardswish_0.tmp_0")
        v = self._bias(self.add("Conv", [v, self.weight("conv2d_1.w_0", self.c2.weight)], "conv2d_1.tmp_0", pads=[1, 1, 1, 1], kernel_shape=[3, 3]), "conv2d_1.b_0", self.c2.bias)
        pooled = self.add("GlobalAveragePool", [v], "pool2d_0.tmp_0")
        gate = self._bias(self.add("Conv", [pooled, self.weight("conv2d_2.w_0", self.squeeze.weight)], "conv2d_2.tmp_0", kernel_shape=[1, 1]), "conv2d_2.b_0", self.squeeze.bias)
        gate = self.add("HardSigmoid", [gate], "hardsigmoid_0.tmp_0", alpha=1 / 6, beta=0.5)
        v = self.add("Mul", [v, gate], "tmp_1")
        v = self.add("AveragePool", [v], "pool2d_1.tmp_0", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1)
        shape = self.add("Shape", [v], "p2o.Shape.0")
        first = self.add("Slice", [shape, self.constant("p2o.starts", np.array([0])), self.constant("p2o.ends", np.array([1])), self.constant("p2o.axes", np.array([0]))], "p2o.Slice.0")
        target = self.add("Concat", [first, self.constant("p2o.rest", np.array([192]))], "p2o.Concat.0", axis=0)
        v = self.add("Reshape", [v, target], "flatten_0.tmp_0")
        v = self.add("MatMul", [v, self.constant("linear_0.w_0", self.fc.weight.detach().numpy().T)], "linear_0.tmp_0")
        v = self.add("Add", [v, self.weight("linear_0.b_0", self.fc.bias)], "linear_0.tmp_1")
        self.add("Softmax", [v], "save_infer_model/scale_0.tmp_1", **({} if row.opset < 13 else {"axis": -1}))
        self.save(path, row.opset, "PaddlePaddle", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [-1, 3, 16, 16])], [helper.make_tensor_value_info("save_infer_model/scale_0.tmp_1", TensorProto.FLOAT, [-1, 10])])

    def _bias(self, value, name, bias):
        shape = self.constant(f"p2o.shape.{name}", np.array([1, -1, 1, 1]))
        return self.add("Add", [value, self.add("Reshape", [self.weight(name, bias), shape], f"p2o.Reshape.{name}")], f"{name}.tmp")


class Sklearn(Written):
    """MLPClassifier on rows of pixels: label and probabilities, with a map of probabilities by class."""

    def __init__(self):
        super().__init__()
        self.f1 = torch.nn.Linear(64, 20)
        self.f2 = torch.nn.Linear(20, 10)

    def forward(self, x):
        return self.f2(F.relu(self.f1(x.flatten(1))))

    def write(self, path, row):
        self.begin()
        v = self.add("Cast", ["X"], "cast_input", to=TensorProto.FLOAT)
        for i, layer in enumerate((self.f1, self.f2)):
            name = "" if i == 0 else "1"
            v = self.add("MatMul", [v, self.constant(f"coefficient{name}", layer.weight.detach().numpy().T)], f"mul_result{name}")
            v = self.add("Add", [v, self.constant(f"intercepts{name}", layer.bias.detach().numpy()[None])], f"add_result{name}")
            v = self.add("Relu", [v], "next_activations") if i == 0 else v
        v = self.add("Softmax", [v], "out_activations_result", axis=1)
        best = self.add("ArgMax", [v], "argmax_output", axis=1)
        self.constant("classes", np.arange(10, dtype=np.int32))
        self.nodes.append(helper.make_node("ArrayFeatureExtractor", ["classes", best], ["extracted"], domain="ai.onnx.ml"))
        label = self.add("Cast", ["extracted"], "cast2_result", to=TensorProto.INT64)
        self.add("Reshape", [label, self.constant("shape_tensor", np.array([-1]))], "output_label")
        self.nodes.append(helper.make_node("ZipMap", [v], ["output_probability"], domain="ai.onnx.ml", classlabels_int64s=list(range(10))))
        kind = helper.make_sequence_type_proto(helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, None)))
        self.save(path, row.opset, "skl2onnx", [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 64])], [helper.make_tensor_value_info("output_label", TensorProto.INT64, [None]), helper.make_value_info("output_probability", kind)], [helper.make_opsetid("ai.onnx.ml", 1)])


class Quantised(Written):
    """Activations and weights through QuantizeLinear and DequantizeLinear; gradients pass straight through the rounding."""

    def __init__(self):
        super().__init__()
        self.c1 = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.c2 = torch.nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.fc = torch.nn.Linear(8, 10)

    def forward(self, x):
        x = torch.fake_quantize_per_tensor_affine(x, 0.04, 128, 0, 255)
        x = F.relu(F.conv2d(x, self._quantised(self.c1), self.c1.bias, padding=1))
        x = torch.fake_quantize_per_tensor_affine(x, 0.01, 0, 0, 255)
        x = F.relu(F.conv2d(x, self._quantised(self.c2), self.c2.bias, 2, 1))
        return self.fc(x.mean((2, 3)))

    def _scale(self, layer):
        return layer.weight.detach().abs().amax((1, 2, 3)) / 127

    def _quantised(self, layer):
        scale = self._scale(layer)
        return torch.fake_quantize_per_channel_affine(layer.weight, scale, torch.zeros_like(scale).int(), 0, -128, 127)

    def write(self, path, row):
        self.begin()
        v = self._activation("input", "input", 0.04, 128)
        for name, layer, stride, scale in (("c1", self.c1, 1, 0.01), ("c2", self.c2, 2, None)):
            v = self.add("Conv", [v, self._weights(name, layer), self.weight(f"{name}.bias", layer.bias)], f"{name}_out", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[stride, stride])
            v = self.add("Relu", [v], f"{name}_relu")
            v = v if scale is None else self._activation(v, name, scale, 0)
        v = self.add("Flatten", [self.add("GlobalAveragePool", [v], "pooled")], "flat")
        self.add("Gemm", [v, self.weight("fc.weight", self.fc.weight), self.weight("fc.bias", self.fc.bias)], "logits", transB=1)
        self.save(path, row.opset, "quantised", [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, 16, 16])], [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])])

    def _activation(self, value, name, scale, zero):
        settings = [self.constant(f"{name}_scale", np.float32(scale)), self.constant(f"{name}_zero", np.uint8(zero))]
        return self.add("DequantizeLinear", [self.add("QuantizeLinear", [value, *settings], f"{name}_q"), *settings], f"{name}_dq")

    def _weights(self, name, layer):
        scale = self._scale(layer).numpy()
        settings = [self.constant(f"{name}_w_scale", scale), self.constant(f"{name}_w_zero", np.zeros(len(scale), np.int8))]
        integers = np.clip(np.rint(layer.weight.detach().numpy() / scale[:, None, None, None]), -128, 127).astype(np.int8)
        return self.add("DequantizeLinear", [self.constant(f"{name}_w", integers), *settings], f"{name}_w_dq", axis=0)


def _keras(make, channels):
    return lambda: (KerasFile(make, channels), channels)


def _application(name, size, **options):
    return _keras(lambda keras: keras_application(name, size, keras, **options), 3)


# name, size, exports, build
table = [
    ("keras-cnn", 28, "keras15 keras18", _keras(keras_cnn, 1)),
    ("keras-MobileNet", 64, "keras15", _application("MobileNet", 64, alpha=0.25)),
    ("keras-MobileNetV2", 64, "keras15", _application("MobileNetV2", 64, alpha=0.35)),
    ("keras-MobileNetV3Small", 64, "keras15", _application("MobileNetV3Small", 64, include_preprocessing=False)),
    ("keras-ResNet50", 64, "keras15", _application("ResNet50", 64)),
    ("keras-DenseNet121", 64, "keras15", _application("DenseNet121", 64)),
    ("keras-EfficientNetB0", 64, "keras15", _application("EfficientNetB0", 64)),
    ("keras-InceptionV3", 96, "keras15", _application("InceptionV3", 96)),
    ("keras-Xception", 96, "keras15", _application("Xception", 96)),
    ("keras-ConvNeXtTiny", 64, "keras17", _application("ConvNeXtTiny", 64, include_preprocessing=False)),
    ("tf2onnx-cnn", 32, "written9 written12 written15", lambda: (Tf2onnx(), 3)),
    ("paddle-cnn", 16, "written11 written14", lambda: (Paddle(), 3)),
    ("skl2onnx-mlp", 8, "written12 written15", lambda: (Sklearn(), 1)),
    ("qdq-cnn", 16, "written13 written21", lambda: (Quantised(), 3)),
]
