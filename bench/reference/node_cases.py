"""Writes the ONNX standard's own tests of single operators, for bench/node-cases.ts.

usage: node_cases.py FOLDER [--opsets 7,9,11,12,15]
NAME.onnx is the model of a test whose inputs of real numbers stay inputs and whose other inputs are initialisers;
NAME.safetensors holds in/INPUT and out/OUTPUT. With --opsets also NAME-atN, what ONNX's converter makes of it for operator
set N (some minutes). Softmax and its like are left out there: the converter does not turn their axes. Left out throughout: sequences,
optional values, strings, element types that we do not read, and operators that are not made for classifiers.
Made with onnx 1.23.
"""

import argparse
import pathlib
import warnings

warnings.filterwarnings("ignore")

import numpy as np
import onnx
from onnx import checker, numpy_helper, version_converter
from onnx.backend.test.case.node import collect_testcases
from safetensors.numpy import save_file

OPERATORS = set(
    """Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization
    BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast CastLike Ceil Celu CenterCropPad Clip Col2Im Compress Concat
    Constant ConstantOfShape Conv ConvTranspose Cos Cosh CumSum DepthToSpace Div Dropout Einsum Elu Equal Erf Exp Expand
    EyeLike Flatten Floor Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater
    GreaterOrEqual GridSample GroupNormalization HardSigmoid HardSwish Hardmax Identity If InstanceNormalization IsInf
    IsNaN LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization LpPool MatMul Max MaxPool
    MaxUnpool Mean MeanVarianceNormalization Min Mish Mod Mul Neg NegativeLogLikelihoodLoss NonZero Not OneHot Or PRelu Pad
    Pow RMSNormalization Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin
    ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence RoiAlign RotaryEmbedding Round Scatter
    ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax SoftmaxCrossEntropyLoss Softplus
    Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze
    Upsample Where Xor""".split()
)
TYPES = set("bool float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64".split())


def prepared(model, names, arrays):
    made = onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.input[:]
    for info, name, array in zip(model.graph.input, names, arrays):
        if array.dtype.kind == "f":
            made.graph.input.append(info)
        else:
            made.graph.initializer.append(numpy_helper.from_array(array, name))
    return made


def write(folder, name, model, tensors):
    onnx.save(model, folder / f"{name}.onnx")
    save_file(tensors, folder / f"{name}.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--opsets", default="")
    options = parser.parse_args()
    older = [int(text) for text in options.opsets.split(",") if text]
    options.folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for case in collect_testcases(None):
        graph, opset = case.model.graph, case.model.opset_import[0]
        operators = {node.op_type for node in graph.node}
        if opset.domain not in ("", "ai.onnx") or not operators <= OPERATORS:
            continue
        values = [np.asarray(value) for part in case.data_sets[0] for value in part]
        names = [info.name for info in [*graph.input, *graph.output]]
        if len(values) != len(names) or any(value.dtype.name not in TYPES for value in values):
            continue
        roles = ["in"] * len(graph.input) + ["out"] * len(graph.output)
        tensors = {f"{r}/{n}": np.array(v, order="C") for r, n, v in zip(roles, names, values)}
        model = prepared(case.model, names, values)
        write(options.folder, case.name, model, tensors)
        count += 1
        if len(graph.node) > 1 or operators & {"Softmax", "LogSoftmax", "Hardmax"}:
            continue
        for version in (version for version in older if version < opset.version):
            try:
                converted = version_converter.convert_version(model, version)
                checker.check_model(converted)
            except Exception:
                continue
            write(options.folder, f"{case.name}-at{version}", converted, tensors)
            count += 1
    print(f"{count} cases")


main()
