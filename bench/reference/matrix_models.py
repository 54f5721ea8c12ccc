"""The rows of the model matrix: which network, at which size, by which exporter. Read by make_matrix.py."""

import dataclasses
import functools
import importlib.util
import pathlib
import re
import typing

import torch

import matrix_writers


def stub_torchvision_ops():
    """A torchvision built for another device has no compiled operators; classifiers need none, only their names."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    found = importlib.util.find_spec("torchvision")
    if found is None or not found.submodule_search_locations:
        return library
    text = pathlib.Path(found.submodule_search_locations[0], "_meta_registrations.py").read_text()
    for name in sorted(set(re.findall(r"torchvision::(\w+)", text)) | set(re.findall(r'register_meta\("(\w+)"\)', text))):
        if not torch._C._jit_get_schemas_for_operator(f"torchvision::{name}"):
            library.define(f"{name}(Tensor a) -> Tensor")
    return library


_stubs = stub_torchvision_ops()


@dataclasses.dataclass(frozen=True)
class Row:
    model: str
    exporter: str
    opset: int
    size: int
    build: typing.Callable[[], tuple[torch.nn.Module, int]]
    flags: frozenset = frozenset()
    input: str = "input"
    outputs: tuple = ("logits",)

    @property
    def name(self):
        flags = "".join(f"-{flag}" for flag in sorted(self.flags - {"no-d2x"}))
        return f"{self.model}.{self.exporter}{self.opset}{flags}"


def timm_model(name, size, **options):
    import timm

    options = dict(num_classes=10, **options)
    try:
        module = timm.create_model(name, img_size=size, **options)
    except TypeError:
        module = timm.create_model(name, **options)
    return module, module.pretrained_cfg["input_size"][0]


def mixer(kind):
    """MLP-Mixer and its relatives as timm has them, smaller than the sizes that it has names for."""
    from timm import layers
    from timm.models import mlp_mixer as mm

    options = dict(
        mixer={},
        gmixer=dict(mlp_ratio=(1.0, 4.0), mlp_layer=layers.GluMlp, act_layer=torch.nn.SiLU),
        resmlp=dict(mlp_ratio=4, block_layer=mm.ResBlock, norm_layer=mm.Affine),
        gmlp=dict(mlp_ratio=6, block_layer=mm.SpatialGatingBlock, mlp_layer=layers.GatedMlp),
    )[kind]
    return mm.MlpMixer(num_classes=10, img_size=64, patch_size=16, num_blocks=3, embed_dim=64, **options), 3


def torchvision_model(name, **options):
    from torchvision import models

    return getattr(models, name)(**{"num_classes": 10, **({"weights": None} if name.islower() else {}), **options}), 3


def slim_vgg(name):
    """The convolutions of a torchvision VGG at their size, under a head of 64 instead of 4096 units."""
    module, channels = torchvision_model(name, dropout=0.5)
    module.classifier[0] = torch.nn.Linear(512 * 7 * 7, 64)
    module.classifier[3] = torch.nn.Linear(64, 64)
    module.classifier[6] = torch.nn.Linear(64, 10)
    return module, channels


def small_swin(v2=False):
    from torchvision.models import swin_transformer as st

    options = dict(
        patch_size=[2, 2], embed_dim=24, depths=[2, 2], num_heads=[2, 4], window_size=[4, 4], num_classes=10,
        **(dict(block=st.SwinTransformerBlockV2, downsample_layer=st.PatchMergingV2) if v2 else {}),
    )
    return st.SwinTransformer(**options), 3


def small_maxvit():
    from torchvision.models import MaxVit

    return MaxVit(
        input_size=(64, 64), stem_channels=16, partition_size=4, block_channels=[16, 32, 64], block_layers=[1, 1, 1],
        head_dim=8, stochastic_depth_prob=0.0, num_classes=10,
    ), 3


def small_vit():
    from torchvision.models import VisionTransformer

    return VisionTransformer(32, 8, 3, 4, 64, 128, num_classes=10), 3


class FirstOf(torch.nn.Module):
    """A Hugging Face classifier as a function of pixels, as its exporter calls it."""

    def __init__(self, inner, outputs=("logits",)):
        super().__init__()
        self.inner = inner
        self.outputs = outputs

    def forward(self, pixel_values):
        found = self.inner(pixel_values=pixel_values)
        values = tuple(found[name] for name in self.outputs)
        return values[0] if len(values) == 1 else values

    # Parameters keep the names that they have without this wrapper.
    def named_parameters(self, *args, **kwargs):
        for name, parameter in super().named_parameters(*args, **kwargs):
            yield name.removeprefix("inner."), parameter


def transformers_model(kind, outputs=("logits",), head="ForImageClassification", attention=None, **config):
    import transformers

    options = dict(num_labels=10, **config)
    if attention:
        options["attn_implementation"] = attention
    settings = getattr(transformers, f"{kind}Config")(**options)
    module = getattr(transformers, f"{kind}{head}")(settings)
    return FirstOf(module.eval(), outputs), config.get("num_channels", 3)


def rows_of(model, size, build, exports, flags=(), **more):
    """`exports` is like "dynamo20 script13+batch"."""
    for text in exports.split():
        way, *own = text.split("+")
        exporter, opset = re.fullmatch(r"([a-z]+)(\d+)", way).groups()
        yield Row(model, exporter, int(opset), size, build, frozenset([*flags, *own]), **more)


def torchvision_rows():
    plain = [
        ("resnet18", 64, "dynamo18 dynamo20+batch dynamo23 dynamo20+external script9 script11+batch script17 script13+unfolded+batch dynamo18+raw+batch dynamo20+half+raw dynamo18+fp16+raw script17+fp16+unfolded+batch script13+half+unfolded script15+train+batch script13+softmax+batch script12+external+sizes"),
        ("resnet50", 64, "dynamo20 script11"),
        ("resnext50_32x4d", 64, "dynamo20"),
        ("wide_resnet50_2", 64, "dynamo20+external"),
        ("densenet121", 64, "dynamo20 script9+batch dynamo18+fresh+batch script13+fresh"),
        ("mobilenet_v2", 64, "dynamo20+fresh script13+fresh dynamo18 dynamo21+batch script9 script12+batch script14+train script13+softmax+sizes dynamo20+half+raw"),
        ("mobilenet_v3_small", 64, "dynamo20 script11+batch script17 script12+train+batch"),
        ("mobilenet_v3_large", 64, "dynamo22"),
        ("efficientnet_b0", 64, "dynamo20+fresh script13+fresh dynamo20 script13+batch"),
        ("efficientnet_v2_s", 64, "dynamo20"),
        ("shufflenet_v2_x0_5", 64, "dynamo20 script9+batch script14 script15+train"),
        ("shufflenet_v2_x1_0", 64, "dynamo20+batch"),
        ("regnet_y_400mf", 64, "dynamo20 script12+batch"),
        ("regnet_x_400mf", 64, "dynamo20"),
        ("convnext_tiny", 64, "dynamo20 script16+batch script13+half+unfolded+external"),
        ("squeezenet1_0", 64, "dynamo20 script9"),
        ("squeezenet1_1", 64, "dynamo18+batch script11+batch"),
        ("alexnet", 224, "dynamo20+external script10"),
        ("mnasnet0_5", 64, "dynamo20 script11+batch"),
    ]
    for name, size, exports in plain:
        yield from rows_of(f"tv-{name}", size, functools.partial(torchvision_model, name), exports)
    for name, size, exports in [("vgg11", 224, "dynamo20 script9+batch"), ("vgg11_bn", 64, "dynamo20+batch dynamo18+fresh"), ("vgg11_bn", 224, "script13+fresh"), ("vgg16_bn", 64, "dynamo20 dynamo18+fresh+batch"), ("vgg16_bn", 224, "script11+fresh"), ("vgg13", 224, "script13+unfolded")]:
        yield from rows_of(f"tv-{name}-slim", size, functools.partial(slim_vgg, name), exports)
    aux = functools.partial(torchvision_model, "googlenet", aux_logits=True, init_weights=False)
    yield from rows_of("tv-googlenet", 64, functools.partial(torchvision_model, "googlenet", aux_logits=False, init_weights=True), "dynamo20 script11+batch dynamo18+fresh+batch script13+fresh")
    yield from rows_of("tv-googlenet-aux", 64, aux, "dynamo20")
    yield from rows_of("tv-inception_v3", 96, functools.partial(torchvision_model, "inception_v3", aux_logits=False, init_weights=True), "dynamo20 script12+batch dynamo18+fresh+batch script13+fresh")
    yield from rows_of("tv-vit-small", 32, small_vit, "dynamo18 dynamo20+batch dynamo23 dynamo24+batch script14+batch script17 dynamo18+raw dynamo20+softmax dynamo20+fp16+batch script17+half script17+train dynamo25")
    yield from rows_of("tv-swin-small", 32, small_swin, "dynamo20 dynamo23+batch script12 script16+batch dynamo18+raw")
    yield from rows_of("tv-swin_v2-small", 32, functools.partial(small_swin, v2=True), "dynamo20+batch script13")
    yield from rows_of("tv-maxvit-small", 64, small_maxvit, "dynamo20 script13+batch")


def timm_rows():
    small = dict(embed_dim=48, depth=3, num_heads=3)
    table = [
        ("test_resnet", 0, "dynamo20 dynamo18+batch script11+batch", {}),
        ("test_byobnet", 0, "dynamo20 script12+batch", {}),
        ("test_convnext", 0, "dynamo21 script17+batch", {}),
        ("test_convnext2", 0, "dynamo20 script14", {}),
        ("test_convnext3", 0, "dynamo20+batch", {}),
        ("test_efficientnet", 0, "dynamo23 script9", {}),
        ("test_efficientnet_evos", 0, "dynamo20 script12", {}),
        ("test_efficientnet_gn", 0, "dynamo20 script13+batch dynamo21 dynamo18", {}),
        ("test_efficientnet_ln", 0, "dynamo20 script13+batch", {}),
        ("test_mambaout", 0, "dynamo20 script16", {}),
        ("test_nfnet", 0, "dynamo20+batch script12", {}),
        ("test_vit", 0, "dynamo20 dynamo23 script14+batch script17+unfolded", {}),
        ("test_vit2", 0, "dynamo20+batch script16", {}),
        ("test_vit3", 0, "dynamo23+batch script14", {}),
        ("test_vit4", 0, "dynamo20 dynamo24", {}),
        ("resnet10t", 64, "dynamo20", {}),
        ("seresnet18", 64, "dynamo20 script11", {}),
        ("skresnet18", 64, "dynamo20 script12+batch", {}),
        ("resnest14d", 64, "dynamo20 script11+batch", {}),
        ("res2net50_26w_4s", 64, "dynamo20", {}),
        ("resnetv2_50", 64, "dynamo20", {}),
        ("densenet121", 64, "dynamo18+batch", {}),
        ("inception_v4", 96, "dynamo20+external", {}),
        ("xception41", 96, "dynamo20", {}),
        ("mobilenetv2_050", 64, "dynamo20 script9", {}),
        ("mobilenetv3_small_050", 64, "dynamo20 script13+batch", {}),
        ("mobilenetv4_conv_small", 64, "dynamo20", {}),
        ("mobilenetv4_hybrid_medium", 64, "dynamo20", {}),
        ("efficientnet_lite0", 64, "dynamo20", {}),
        ("tf_efficientnet_b0", 64, "dynamo20 dynamo20+batch script11", {}),
        ("tf_mobilenetv3_small_minimal_100", 64, "dynamo20 script13", {}),
        ("regnetx_002", 64, "dynamo20 script11", {}),
        ("regnety_002", 64, "dynamo21+batch", {}),
        ("convnext_atto", 64, "dynamo20 dynamo23+batch script17", {}),
        ("convnextv2_atto", 64, "dynamo20 script13+batch", {}),
        ("vit_tiny_patch16_224", 64, "script17+softmax+batch dynamo18+raw+external dynamo20 dynamo23+batch script12+batch script17", {}),
        ("vit_small_patch16_rope_224", 64, "dynamo20 dynamo23 script14", small),
        ("vit_base_patch16_rope_mixed_224", 64, "dynamo20", small),
        ("deit_tiny_patch16_224", 64, "dynamo20+batch script14", {}),
        ("deit_tiny_distilled_patch16_224", 64, "dynamo20", {}),
        ("deit3_small_patch16_224", 64, "dynamo20", small),
        ("vit_base_patch16_siglip_224", 64, "dynamo20+batch dynamo23", small),
        ("beit_base_patch16_224", 64, "dynamo20 script14+batch", small),
        ("beitv2_base_patch16_224", 64, "dynamo23", small),
        ("eva02_tiny_patch14_224", 56, "dynamo20 dynamo23+batch", dict(depth=3)),
        ("swin_tiny_patch4_window7_224", 56, "dynamo20 script11 script16+batch", dict(embed_dim=24, depths=(2, 2, 2, 2), num_heads=(1, 2, 4, 8), window_size=7)),
        ("swinv2_tiny_window8_256", 64, "dynamo20+batch script13", dict(embed_dim=24, depths=(2, 2, 2, 2), num_heads=(1, 2, 4, 8), window_size=4)),
        ("swinv2_cr_tiny_224", 64, "dynamo20", dict(embed_dim=24, depths=(2, 2, 2, 2), num_heads=(1, 2, 4, 8))),
        ("maxvit_rmlp_pico_rw_256", 64, "dynamo20 script14+batch", {}),
        ("coatnet_pico_rw_224", 64, "dynamo20 script14", {}),
        ("coatnext_nano_rw_224", 64, "dynamo20", {}),
        ("coatnet_rmlp_nano_rw_224", 64, "dynamo23", {}),
        ("nf_resnet26", 64, "dynamo20 script12+batch", {}),
        ("nf_regnet_b0", 64, "dynamo20", {}),
        ("eca_nfnet_l0", 64, "dynamo20", {}),
        ("levit_128s", 64, "dynamo20 script12+batch", {}),
        ("levit_conv_128s", 64, "dynamo20", {}),
        ("poolformer_s12", 64, "dynamo20 script11+batch", {}),
        ("poolformerv2_s12", 64, "dynamo20", {}),
        ("hiera_tiny_224", 64, "dynamo20 script14+batch", dict(embed_dim=24, stages=(1, 1, 2, 1))),
        ("cait_xxs24_224", 64, "dynamo20 script12", dict(depth=4)),
        ("xcit_nano_12_p16_224", 64, "dynamo20 script13+batch", dict(depth=3)),
        ("crossvit_9_240", 96, "dynamo20 script11", {}),
        ("pit_ti_224", 64, "dynamo20 script12+batch", {}),
        ("tnt_s_patch16_224", 64, "dynamo20", dict(depth=3)),
        ("twins_svt_small", 64, "dynamo20 script13", dict(embed_dims=(16, 32, 64, 128), num_heads=(1, 2, 4, 8), depths=(1, 1, 2, 1))),
        ("visformer_tiny", 64, "dynamo20 script11+batch", {}),
        ("convmixer_768_32", 64, "dynamo20", dict(depth=4, dim=128)),
        ("mobilevit_xxs", 64, "dynamo20 script12+batch", {}),
        ("mobilevitv2_050", 64, "dynamo20 script12", {}),
        ("edgenext_xx_small", 64, "dynamo20 script13+batch", {}),
        ("fastvit_t8", 64, "dynamo20 script12", {}),
        ("repvgg_a0", 64, "dynamo20", {}),
        ("mobileone_s0", 64, "dynamo20", {}),
        ("ghostnet_050", 64, "dynamo20 script11", {}),
        ("ghostnetv2_100", 64, "dynamo20", {}),
        ("tinynet_e", 64, "dynamo20", {}),
        ("lcnet_035", 64, "script9 dynamo20", {}),
        ("hardcorenas_a", 64, "dynamo20", {}),
        ("mixnet_s", 64, "dynamo20 script11", {}),
        ("dla46_c", 64, "dynamo20", {}),
        ("dpn68", 64, "dynamo20 script12", {}),
        ("cspresnet50", 64, "dynamo20", {}),
        ("ese_vovnet19b_slim", 64, "dynamo20 script11", {}),
        ("hrnet_w18_small", 64, "dynamo20 script11", {}),
        ("efficientformer_l1", 224, "dynamo20", {}),
        ("efficientformerv2_s0", 224, "dynamo20", {}),
        ("efficientvit_b0", 64, "dynamo20 script12+batch", {}),
        ("efficientvit_m0", 64, "dynamo20", {}),
        ("focalnet_tiny_srf", 64, "dynamo20", dict(embed_dim=24, depths=(1, 1, 2, 1))),
        ("davit_tiny", 64, "dynamo20 script13", dict(embed_dims=(24, 48, 96, 192), num_heads=(1, 2, 4, 8), depths=(1, 1, 2, 1))),
        ("gcvit_xxtiny", 64, "dynamo20", dict(window_size=(2, 2, 2, 2))),
        ("nest_tiny", 64, "dynamo20 script12", dict(embed_dims=(24, 48, 96), num_heads=(1, 2, 4), depths=(1, 1, 2))),
        ("pvt_v2_b0", 64, "dynamo20 script13+batch", {}),
        ("repghostnet_050", 64, "dynamo20", {}),
        ("rexnet_100", 64, "dynamo20 script11", {}),
        ("starnet_s050", 64, "dynamo20", {}),
        ("tiny_vit_5m_224", 224, "dynamo20", {}),
        ("volo_d1_224", 64, "dynamo20", dict(layers=(1, 1, 1, 1), embed_dims=(24, 48, 48, 48), num_heads=(2, 4, 4, 4))),
        ("mambaout_femto", 64, "dynamo20", {}),
        ("halonet26t", 64, "dynamo20 script13", {}),
        ("botnet26t_256", 64, "dynamo20 script13", {}),
        ("lambda_resnet26t", 64, "dynamo20", {}),
        ("convit_tiny", 64, "dynamo20 script12", dict(depth=3, local_up_to_layer=2)),
        ("coat_lite_tiny", 64, "dynamo20", {}),
        ("repvit_m0_9", 64, "dynamo20", {}),
        ("swiftformer_xs", 64, "dynamo20", {}),
        ("shvit_s1", 64, "dynamo20", {}),
        ("inception_next_atto", 64, "dynamo20", {}),
        ("hgnetv2_b0", 64, "dynamo20", {}),
        ("gernet_s", 64, "dynamo20", {}),
        ("cs3darknet_s", 64, "dynamo20", {}),
        ("mvitv2_tiny", 64, "dynamo20 script14", dict(depths=(1, 1, 2, 1), embed_dim=24)),
        ("caformer_s18", 64, "dynamo20", dict(depths=(1, 1, 2, 1), dims=(24, 48, 96, 128))),
        ("convformer_s18", 64, "dynamo20 script14+batch", dict(depths=(1, 1, 2, 1), dims=(24, 48, 96, 128))),
        ("nextvit_small", 64, "dynamo20", dict(depths=(1, 1, 2, 1))),
        ("rdnet_tiny", 64, "dynamo20", {}),
        ("sequencer2d_s", 64, "dynamo20", dict(layers=(1, 1, 1, 1), embed_dims=(24, 48, 48, 48), hidden_sizes=(6, 12, 12, 12))),
    ]
    for kind, exports in [("mixer", "dynamo20+batch script11+batch"), ("gmixer", "dynamo20"), ("resmlp", "dynamo20 script12"), ("gmlp", "dynamo20")]:
        yield from rows_of(f"timm-{kind}-small", 64, functools.partial(mixer, kind), exports)
    for name, size, exports, options in table:
        size = size or {"test_vit": 160, "test_vit2": 160, "test_vit3": 160, "test_vit4": 160}.get(name, 96)
        yield from rows_of(f"timm-{name}", size, functools.partial(timm_model, name, size, **options), exports)


def transformers_rows():
    vit = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, image_size=32, patch_size=8)
    stages = dict(hidden_sizes=[16, 24, 32, 48], depths=[1, 1, 1, 1])
    table = [
        ("ViT", 32, "script14+batch script17 dynamo20 dynamo23+batch script14+sizes", vit, {}),
        ("DeiT", 32, "script14+batch dynamo20", vit, {}),
        ("Beit", 32, "script14+batch dynamo20", vit, {}),
        ("Data2VecVision", 32, "script14", vit, {}),
        ("ViTMSN", 32, "script14+batch", vit, {}),
        ("Dinov2", 32, "script14+batch dynamo20", vit, {}),
        ("Dinov2WithRegisters", 32, "dynamo20", vit, {}),
        ("IJepa", 32, "dynamo20", vit, {}),
        ("Swin", 32, "script14+batch", dict(image_size=32, patch_size=2, embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=4), {}),
        ("Swinv2", 32, "script14 dynamo20+batch", dict(image_size=32, patch_size=2, embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=4), {}),
        ("ConvNext", 64, "script14+batch dynamo20", stages, {}),
        ("ConvNextV2", 64, "script14 dynamo20", stages, {}),
        ("ResNet", 64, "script11+batch script14+sizes dynamo20", dict(embedding_size=16, hidden_sizes=[16, 24, 32, 48], depths=[1, 1, 1, 1]), {}),
        ("MobileNetV1", 64, "script11+batch dynamo20", dict(depth_multiplier=0.25), {}),
        ("MobileNetV2", 64, "script11+batch dynamo20", dict(depth_multiplier=0.35), {}),
        ("MobileViT", 64, "script12+batch dynamo20", dict(image_size=64, hidden_sizes=[16, 24, 32], neck_hidden_sizes=[8, 12, 16, 24, 32, 40, 64]), {}),
        ("MobileViTV2", 64, "dynamo20", dict(image_size=64, width_multiplier=0.5), {}),
        ("Levit", 64, "script12+batch dynamo20", dict(image_size=64, hidden_sizes=[32, 48, 64], num_attention_heads=[2, 3, 4], depths=[1, 1, 1], key_dim=[8, 8, 8]), {}),
        ("PoolFormer", 64, "script12+batch", dict(hidden_sizes=[16, 24, 32, 48], depths=[1, 1, 1, 1]), {}),
        ("RegNet", 64, "script12+batch dynamo20", dict(embedding_size=16, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1], groups_width=8), {}),
        ("EfficientNet", 64, "script12 dynamo20", dict(image_size=64, width_coefficient=0.5, depth_coefficient=0.5, hidden_dim=640), {}),
        ("Pvt", 64, "script13 dynamo20", dict(image_size=64, hidden_sizes=[16, 32, 40, 64], depths=[1, 1, 1, 1]), {}),
        ("PvtV2", 64, "script13", dict(image_size=64, hidden_sizes=[16, 32, 40, 64], depths=[1, 1, 1, 1]), {}),
        ("Cvt", 64, "script13", dict(embed_dim=[16, 24, 32], num_heads=[1, 2, 4], depth=[1, 2, 3]), {}),
        ("Bit", 64, "script12 dynamo20", dict(embedding_size=16, hidden_sizes=[32, 64, 96, 128], depths=[1, 1, 1, 1], num_groups=8), {}),
        ("FocalNet", 64, "script13", dict(image_size=64, embed_dim=16, depths=[1, 1, 1, 1]), {}),
        ("SwiftFormer", 64, "script12", dict(depths=[1, 1, 1, 1], embed_dims=[16, 24, 32, 48]), {}),
        ("Hiera", 64, "script14 dynamo20", dict(image_size=[64, 64], embed_dim=16, depths=[1, 1, 1, 1], num_heads=[1, 2, 4, 8]), {}),
        ("SiglipVision", 32, "", vit, {}),
        ("DeiT", 32, "script14", vit, dict(head="ForImageClassificationWithTeacher", outputs=("logits", "cls_logits", "distillation_logits"))),
        ("ViT", 32, "script12+batch", vit, dict(attention="eager")),
    ]
    for kind, size, exports, config, more in table:
        suffix = "".join(f"-{m if isinstance(m, str) else 'teacher'}" for k, m in more.items() if k != "outputs").replace("-ForImageClassificationWithTeacher", "-teacher")
        build = functools.partial(transformers_model, kind, **more, **config)
        outputs = more.get("outputs", ("logits",))
        yield from rows_of(f"hf-{kind}{suffix}", size, build, exports, input="pixel_values", outputs=outputs)


def written_rows():
    """Files of exporters that are not ours to run, or that take no torch module: see matrix_writers.py."""
    for name, size, exports, build in matrix_writers.table:
        yield from rows_of(name, size, build, exports)


rows = [*torchvision_rows(), *timm_rows(), *transformers_rows(), *written_rows()]
