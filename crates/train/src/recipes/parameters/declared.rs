//! Every hyper-parameter, in the field's names; recipes choose among them.

use super::{Kind, Parameter, Words};

macro_rules! parameter {
    ($id:ident, $name:literal, $kind:expr, $en:literal, $zh:literal) => {
        pub static $id: Parameter =
            Parameter { name: $name, kind: $kind, help: Words { en: $en, zh: $zh } };
    };
}

parameter!(
    R,
    "r",
    Kind::Integer(1, 1024),
    "Rank of the adapter: how much it can learn; 8 to 64 is usual.",
    "适配器的秩：能学多少；通常取 8 到 64。"
);
parameter!(
    LORA_ALPHA,
    "lora_alpha",
    Kind::Number(0.01, 4096.0),
    "Strength of the adapter; the update is scaled by lora_alpha / r.",
    "适配器的强度；更新按 lora_alpha / r 缩放。"
);
parameter!(
    LORA_DROPOUT,
    "lora_dropout",
    Kind::Number(0.0, 0.9),
    "Share of inputs that the adapter ignores at random while learning, against learning by heart.",
    "训练时适配器随机忽略的输入比例，防止死记硬背。"
);
parameter!(
    USE_RSLORA,
    "use_rslora",
    Kind::Flag,
    "Scale by lora_alpha / sqrt(r), which keeps large ranks effective.",
    "按 lora_alpha / sqrt(r) 缩放，使较大的秩仍然有效。"
);
parameter!(
    USE_DORA,
    "use_dora",
    Kind::Flag,
    "Learn magnitude and direction apart: a little better at small ranks, slower.",
    "分别学习大小和方向：小秩时效果略好，但更慢。"
);
parameter!(
    TARGET_MODULES,
    "target_modules",
    Kind::Names,
    "Layers that get an adapter, by the last part of their name, or all-linear.",
    "加适配器的层（名称的最后一段），或 all-linear 表示全部线性层。"
);
parameter!(
    EPOCHS,
    "num_train_epochs",
    Kind::Integer(1, 1000),
    "How many times the model sees every row.",
    "模型把每一行看多少遍。"
);
parameter!(
    BATCH_SIZE,
    "batch_size",
    Kind::Integer(1, 4096),
    "Rows that are learnt from together in one step.",
    "每一步一起学习的行数。"
);
parameter!(
    LEARNING_RATE,
    "learning_rate",
    Kind::Number(1e-8, 1.0),
    "Size of each step at its peak: too high and it diverges, too low and it learns nothing.",
    "每一步的最大幅度：太大会发散，太小学不到东西。"
);
parameter!(
    LR_SCHEDULER,
    "lr_scheduler_type",
    Kind::Choice(&["linear", "cosine", "constant", "constant_with_warmup", "inverse_sqrt"]),
    "How the learning rate falls over the run.",
    "学习率在训练中如何下降。"
);
parameter!(
    WARMUP_RATIO,
    "warmup_ratio",
    Kind::Number(0.0, 0.5),
    "Share of the run in which the learning rate rises from 0.",
    "学习率从 0 升起所占的训练比例。"
);
parameter!(
    WEIGHT_DECAY,
    "weight_decay",
    Kind::Number(0.0, 1.0),
    "Pull of the weights towards 0, against learning by heart.",
    "把权重往 0 拉的力度，防止死记硬背。"
);
parameter!(
    MAX_GRAD_NORM,
    "max_grad_norm",
    Kind::Number(0.001, 1000.0),
    "Steps larger than this are shortened, so that one odd row does no harm.",
    "超过此值的步子会被缩短，避免个别怪行造成破坏。"
);
parameter!(
    MAX_LENGTH,
    "max_length",
    Kind::Integer(16, 1_048_576),
    "Tokens after which a row is cut.",
    "超过多少词元的行会被截断。"
);
parameter!(
    EVALS_PER_EPOCH,
    "evals_per_epoch",
    Kind::Integer(0, 100),
    "How often in each epoch the model is measured on the validation rows; 0 for never.",
    "每轮在验证行上测量几次；0 表示不测。"
);
parameter!(
    PATIENCE,
    "early_stopping_patience",
    Kind::Integer(0, 1000),
    "Stop after this many measurements without improvement; 0 for never.",
    "连续多少次测量没有进步就停止；0 表示从不。"
);
parameter!(
    BETA,
    "beta",
    Kind::Number(0.001, 100.0),
    "How strongly the model is held to what it was before (for simpo: how strongly answers are told apart).",
    "模型被约束在原样附近的力度（simpo 中则为区分答案的力度）。"
);
parameter!(
    LOSS_TYPE,
    "loss_type",
    Kind::Choice(&[
        "sigmoid",
        "ipo",
        "hinge",
        "robust",
        "sigmoid_norm",
        "exo_pair",
        "nca_pair",
        "bco_pair",
        "sppo_hard",
        "apo_zero",
        "apo_down",
        "discopop",
    ]),
    "Which form of the loss: sigmoid is DPO as published; ipo and robust bear contradictory votes better.",
    "损失的形式：sigmoid 即原始 DPO；ipo 和 robust 更能容忍互相矛盾的投票。"
);
parameter!(
    LABEL_SMOOTHING,
    "label_smoothing",
    Kind::Number(0.0, 0.49),
    "Share of the pairs that may be the wrong way round.",
    "可能标反了的答案对所占比例。"
);
parameter!(
    SIMPO_GAMMA,
    "simpo_gamma",
    Kind::Number(0.0, 20.0),
    "By how much a chosen answer is to be ahead of the rejected one.",
    "被选答案应领先被拒答案多少。"
);
parameter!(
    CPO_ALPHA,
    "cpo_alpha",
    Kind::Number(0.0, 100.0),
    "How much the chosen answers are also learnt as examples.",
    "被选答案同时作为范例来学习的力度。"
);
parameter!(
    DESIRABLE_WEIGHT,
    "desirable_weight",
    Kind::Number(0.0, 100.0),
    "How much an answer that was liked counts.",
    "被喜欢的答案的权重。"
);
parameter!(
    UNDESIRABLE_WEIGHT,
    "undesirable_weight",
    Kind::Number(0.0, 100.0),
    "How much an answer that was not liked counts.",
    "不被喜欢的答案的权重。"
);
parameter!(
    USE_PEFT,
    "use_peft",
    Kind::Flag,
    "Only an adapter learns; off, every weight does, which takes four times the model's memory.",
    "只训练适配器；关闭后训练全部权重，内存约为模型的四倍。"
);
parameter!(
    CENTER_REWARDS,
    "center_rewards_coefficient",
    Kind::Number(0.0, 10.0),
    "How firmly scores are kept around 0; it changes no ranking.",
    "把分数保持在 0 附近的力度；不改变排名。"
);
parameter!(
    NUM_GENERATIONS,
    "num_generations",
    Kind::Integer(2, 256),
    "Answers that the model gives to each question in a step; they are compared with each other.",
    "每一步中模型对每个问题给出的答案数；它们互相比较。"
);
parameter!(
    MAX_COMPLETION_LENGTH,
    "max_completion_length",
    Kind::Integer(1, 65_536),
    "Tokens after which an answer of the model is cut while it learns.",
    "训练中模型的答案超过多少词元就截断。"
);
parameter!(
    NUM_ITERATIONS,
    "num_iterations",
    Kind::Integer(1, 100),
    "How many steps are made with the same answers before new ones are written.",
    "同一批答案用来更新几次，再写新答案。"
);
parameter!(
    KL_BETA,
    "beta",
    Kind::Number(0.0, 100.0),
    "How strongly the model is held to what it was before; 0 lets it go freely.",
    "模型被约束在原样附近的力度；0 表示不约束。"
);
parameter!(
    GRPO_LOSS_TYPE,
    "loss_type",
    Kind::Choice(&["dapo", "grpo", "dr_grpo", "bnpo", "cispo"]),
    "How the tokens of answers are averaged; dapo and dr_grpo do not favour long or short ones.",
    "答案中词元如何取平均；dapo 与 dr_grpo 不偏向长或短的答案。"
);
parameter!(
    SCALE_REWARDS,
    "scale_rewards",
    Kind::Choice(&["group", "batch", "none"]),
    "Whether rewards are divided by their spread: among answers to the same question, of the whole step, or not.",
    "奖励是否除以其离散程度：同一问题的答案之间、整一步之间，或不除。"
);
parameter!(
    EPSILON,
    "epsilon",
    Kind::Number(0.0, 0.99),
    "How far one step may change how likely an answer is.",
    "一步之内答案的概率最多改变多少。"
);
parameter!(
    NORMALIZE_ADVANTAGES,
    "normalize_advantages",
    Kind::Flag,
    "Divide what answers are worth by its spread over the step.",
    "把答案的相对价值除以这一步内的离散程度。"
);
parameter!(
    KL_COEF,
    "kl_coef",
    Kind::Number(0.0, 100.0),
    "How strongly the model is held to what it was before.",
    "模型被约束在原样附近的力度。"
);
parameter!(
    TARGET_KL,
    "target_kl",
    Kind::Number(0.0, 1000.0),
    "Distance from the former model that kl_coef is steered towards, in nats per answer; 0 keeps kl_coef as it is.",
    "自动调节 kl_coef 所瞄准的与原模型的距离（每个答案的奈特数）；0 表示 kl_coef 不变。"
);
parameter!(
    KL_ESTIMATOR,
    "kl_estimator",
    Kind::Choice(&["k1", "k3"]),
    "How the distance from the former model is estimated; k3 is never negative.",
    "与原模型的距离如何估计；k3 不会为负。"
);
parameter!(
    NUM_PPO_EPOCHS,
    "num_ppo_epochs",
    Kind::Integer(1, 100),
    "How many steps are made with the same answers before new ones are written.",
    "同一批答案用来更新几次，再写新答案。"
);
parameter!(
    CLIPRANGE,
    "cliprange",
    Kind::Number(0.0, 0.99),
    "How far one step may change how likely a token is.",
    "一步之内词元的概率最多改变多少。"
);
parameter!(
    CLIPRANGE_VALUE,
    "cliprange_value",
    Kind::Number(0.0, 100.0),
    "How far one step may change what the value head expects.",
    "一步之内价值头的预期最多改变多少。"
);
parameter!(
    VF_COEF,
    "vf_coef",
    Kind::Number(0.0, 100.0),
    "How much the value head's own learning counts.",
    "价值头自身学习的权重。"
);
parameter!(
    GAMMA,
    "gamma",
    Kind::Number(0.0, 1.0),
    "How much a later reward counts; 1 counts it in full.",
    "较晚的奖励算多少；1 表示全算。"
);
parameter!(
    LAM,
    "lam",
    Kind::Number(0.0, 1.0),
    "Between trusting the value head (0) and the reward that came (1).",
    "在相信价值头（0）与相信实际奖励（1）之间取舍。"
);
parameter!(
    MAX_STEPS,
    "max_steps",
    Kind::Integer(1, 10_000_000),
    "The run ends after this many steps, even within an epoch.",
    "训练最多走这么多步，即使一轮未完。"
);
parameter!(
    TRAIN_SAMPLING_STRATEGY,
    "train_sampling_strategy",
    Kind::Choice(&["random", "sequential"]),
    "The order in which rows come: shuffled, or as in the file.",
    "行出现的顺序：打乱，或按文件中的顺序。"
);
parameter!(
    SEED,
    "seed",
    Kind::Integer(0, i64::MAX),
    "Start of every random choice: the same seed gives the same model.",
    "一切随机选择的起点：种子相同，模型就相同。"
);
