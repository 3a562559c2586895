"""The sets that come with the project: MNIST in full, with it a set of pictures, one of language, one of speech,
one of ratings and five small classics of statistics, each with its source, citation and licence.

Notices that the licences ask for stand beside the files in ``data/NOTICES.md``.
"""

from core.i18n import Text
from core.training.described import Dataset, IdColumn

MNIST = Dataset(
    key="mnist",
    area="vision",
    label=Text(en="MNIST, handwritten digits", zh="MNIST 手写数字"),
    note=Text(
        en="70,000 grey pictures of 28 × 28 pixels, one digit each: 60,000 to train on, 10,000 kept for the test.",
        zh="70,000 张 28 × 28 像素的灰度图，每张一个数字：60,000 张用于训练，10,000 张留作测试。",
    ),
    kind="images",
    task="classes",
    shape=(28, 28, 1),
    train_images=60_000,
    test_images=10_000,
    class_names=tuple("0123456789"),
    target=Text(en="the digit", zh="数字"),
    source="http://yann.lecun.com/exdb/mnist/",
    citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document "
    "recognition. Proceedings of the IEEE 86 (1998) 2278-2324.",
    # Copyright holders and licence as stated in the Keras documentation of keras.datasets.mnist.
    licence=Text(
        en="© Yann LeCun and Corinna Cortes, derived from NIST datasets; CC BY-SA 3.0",
        zh="© Yann LeCun 与 Corinna Cortes，源自 NIST 数据集；CC BY-SA 3.0",
    ),
    licence_url="https://creativecommons.org/licenses/by-sa/3.0/",
    file="mnist.npz",
    sha256="06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64",
)

FASHION = Dataset(
    key="fashion",
    area="vision",
    label=Text(en="Clothes (Fashion-MNIST)", zh="服装（Fashion-MNIST）"),
    note=Text(
        en="11,000 grey pictures of 28 × 28 pixels from a shop, 900 to train on and 200 for the test of each of "
        "ten kinds: what is it?",
        zh="11,000 张 28 × 28 像素的商品灰度图，十类各 900 张用于训练、200 张用于测试：这是哪一类？",
    ),
    kind="images",
    task="classes",
    shape=(28, 28, 1),
    train_images=9_000,
    test_images=2_000,
    class_names=(
        "T-shirt",
        "trousers",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
    target=Text(en="the kind of clothing", zh="服装种类"),
    source="https://github.com/zalandoresearch/fashion-mnist",
    citation="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine "
    "Learning Algorithms. arXiv:1708.07747 (2017). A balanced part of it, drawn with seed 0.",
    licence=Text(en="© 2017 Zalando SE, MIT", zh="© 2017 Zalando SE，MIT"),
    licence_url="https://github.com/zalandoresearch/fashion-mnist/blob/master/LICENSE",
    # Made by benchmarks.demo_data, like the next three.
    file="fashion_mnist.npz",
    sha256="73f47b366c946d13bb462185028307e83832b3928b3ca608610b831d2ede4cbe",
)

REVIEWS = Dataset(
    key="reviews",
    area="language",
    label=Text(en="Product reviews", zh="商品评论"),
    note=Text(
        en="2,977 English sentences about five products, each rated by twenty people: does the customer like it?",
        zh="关于五款产品的 2,977 个英文句子，每句由二十人评分：顾客满意还是不满意？",
    ),
    kind="table",
    task="classes",
    shape=(2_048,),
    train_images=2_381,
    test_images=596,
    class_names=("negative", "positive"),
    target=Text(en="the opinion", zh="评价"),
    source="https://github.com/cjhutto/vaderSentiment",
    # Sentences whose mean rating is at least 0.5 away from neutral, of -4 to 4; that cut is ours.
    citation="Sentences: M. Hu, B. Liu: Mining and summarizing customer reviews. KDD 2004. Ratings: C. Hutto, "
    "E. Gilbert: VADER: A parsimonious rule-based model for sentiment analysis of social media text. "
    "ICWSM 2014; sentences rated as neutral are left out.",
    # The sentences as nltk_data declares its copy of the corpus (product_reviews_1); the ratings as packaged.
    licence=Text(
        en="sentences © 2004 Bing Liu, CC BY 4.0; ratings © 2016 C.J. Hutto, MIT",
        zh="句子 © 2004 Bing Liu，CC BY 4.0；评分 © 2016 C.J. Hutto，MIT",
    ),
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    file="product_reviews.csv",
    sha256="9efbdc7d9dbdc55eb7fbfd839d2f001f1cfd59c34f0cf723c302ac7a3b70eca1",
    text_columns=2_048,
)

# Licence of what comes from the UCI repository as stated there.
_UCI = Text(en="UCI Machine Learning Repository, CC BY 4.0", zh="UCI 机器学习库，CC BY 4.0")
_CC_BY = "https://creativecommons.org/licenses/by/4.0/"

VOWELS = Dataset(
    key="vowels",
    area="speech",
    label=Text(en="Speakers (Japanese vowels)", zh="说话人（日语元音）"),
    note=Text(
        en="640 recordings of two vowels, each up to 29 moments of 12 numbers on the shape of the sound: "
        "which of nine men is speaking?",
        zh="640 段两个元音的录音，每段最多 29 个时刻，每个时刻 12 个描述音色的数：是九位男士中的哪一位在说话？",
    ),
    # As a row: a convolution over the same numbers as a picture (12 × 29 bytes) was right in 89 to 95 % of the
    # test, the perceptron on the row in 97 to 98 %.
    kind="table",
    task="classes",
    shape=(348,),
    train_images=270,
    test_images=370,
    class_names=tuple(f"speaker {n}" for n in range(1, 10)),
    target=Text(en="the speaker", zh="说话人"),
    source="https://archive.ics.uci.edu/dataset/128/japanese+vowels",
    citation="M. Kudo, J. Toyama, M. Shimbo: Multidimensional curve classification using passing-through "
    "regions. Pattern Recognition Letters 20 (1999) 1103-1111. LPC cepstra; training and test as published.",
    licence=_UCI,
    licence_url=_CC_BY,
    file="japanese_vowels.npz",
    sha256="5460514916a41e952b11110af16a014c820414aefccee85a51e7c6d353e94872",
)

_SEMESTERS = ("2", "4", "6", "8")
# The codes of departments that occur, as published; there is no 13.
_DEPARTMENTS = tuple(str(code) for code in range(1, 16) if code != 13)

RATINGS = Dataset(
    key="ratings",
    area="recommendation",
    label=Text(en="Ratings of lectures", zh="课程评分"),
    note=Text(
        en="73,421 ratings from 1 (poor) to 5 (very good) that 2,972 students of ETH Zurich gave to 1,128 lecturers, "
        "names left out: what would a student say of a lecturer not rated yet?",
        zh="苏黎世联邦理工学院 2,972 名学生对 1,128 位讲师给出的 73,421 个评分，从 1（差）到 5（非常好），已匿名："
        "学生会如何评价一位尚未评过的讲师？",
    ),
    kind="table",
    task="number",
    # Off by 1.186 on the test (root mean square, R² 0.203, three seeds alike) with the preset; always saying the mean
    # by 1.328, student + lecturer by ridge regression by 1.199 (R² 0.185): ``python -m benchmarks.ratings``.
    shape=(6,),
    train_images=58_736,
    test_images=14_685,
    class_names=(),
    target=Text(en="the rating", zh="评分"),
    source="https://github.com/lme4/lme4",
    citation="InstEval of the R package lme4: D. Bates, M. Maechler, B. Bolker, S. Walker: Fitting linear "
    "mixed-effects models using lme4. Journal of Statistical Software 67 (2015) 1. One rating in five is kept "
    "for the test, drawn with seed 0.",
    licence=Text(
        en="© the authors of lme4, GPL version 2 or later; its text is in core/training/data/GPL-2.txt",
        zh="© lme4 的作者，GPL 第 2 版或更高版本；全文见 core/training/data/GPL-2.txt",
    ),
    licence_url="https://www.gnu.org/licenses/old-licenses/gpl-2.0.html",
    file="lecture_ratings.npz",
    sha256="9615f87bb687c36c979830b10883bb70b7ec75760e47341ec48c25a9594d7155",
    ids=(
        IdColumn("student", Text(en="Student", zh="学生"), "user", 2_972),
        IdColumn("lecturer", Text(en="Lecturer", zh="讲师"), "item", 1_128),
        IdColumn(
            "service",
            Text(en="For another department", zh="为其他院系开课"),
            "item",
            2,
            (Text(en="no", zh="否"), Text(en="yes", zh="是")),
        ),
        IdColumn(
            "lectage",
            Text(en="How long ago (semesters)", zh="多久之前（学期）"),
            "item",
            6,
            tuple(Text(en=str(n), zh=str(n)) for n in range(1, 7)),
        ),
        IdColumn(
            "studage",
            Text(en="Student's semesters enrolled", zh="学生已就读（学期）"),
            "user",
            4,
            tuple(Text(en=n, zh=n) for n in _SEMESTERS),
        ),
        IdColumn(
            "dept",
            Text(en="Lecturer's department (code)", zh="讲师所在院系（代码）"),
            "item",
            14,
            tuple(Text(en=n, zh=n) for n in _DEPARTMENTS),
        ),
    ),
)

# The five below are the files of scikit-learn 1.9.1 (BSD 3-clause), with the columns named.
DIGITS = Dataset(
    key="digits",
    area="vision",
    label=Text(en="Small digits", zh="小型手写数字"),
    note=Text(
        en="1,797 grey pictures of 8 × 8 pixels, one digit each: trains in a second.",
        zh="1,797 张 8 × 8 像素的灰度图，每张一个数字：一秒即可训练。",
    ),
    kind="images",
    task="classes",
    shape=(8, 8, 1),
    train_images=1_437,
    test_images=360,
    class_names=tuple("0123456789"),
    target=Text(en="the digit", zh="数字"),
    source="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    citation="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits (1998).",
    licence=_UCI,
    licence_url=_CC_BY,
    file="digits.npz",
    sha256="ef191a70205459297833b1e4995e64e513251d5554637a9752bc813a300a650f",
)

BREAST_CANCER = Dataset(
    key="breast_cancer",
    area="table",
    label=Text(en="Breast cancer diagnosis", zh="乳腺癌诊断"),
    note=Text(
        en="569 tumours, 30 measurements of cell nuclei each: malignant or benign?",
        zh="569 例肿瘤，每例 30 项细胞核测量值：恶性还是良性？",
    ),
    kind="table",
    task="classes",
    shape=(30,),
    train_images=455,
    test_images=114,
    class_names=("benign", "malignant"),
    target=Text(en="the diagnosis", zh="诊断结果"),
    source="https://archive.ics.uci.edu/dataset/17/breast+cancer+wisconsin+diagnostic",
    citation="W. Wolberg, O. Mangasarian, N. Street, W. Street: Breast Cancer Wisconsin (Diagnostic) (1995).",
    licence=_UCI,
    licence_url=_CC_BY,
    file="breast_cancer.csv",
    sha256="af399a019264f7999e6b395ee90576e46564867aa4c8a40797c96be87dc1be55",
)

WINE = Dataset(
    key="wine",
    area="table",
    label=Text(en="Wine growers", zh="葡萄酒产地"),
    note=Text(
        en="178 wines of one region, 13 chemical measurements each: which of three growers?",
        zh="同一产区的 178 种葡萄酒，每种 13 项化学指标：来自三家酒庄中的哪一家？",
    ),
    kind="table",
    task="classes",
    shape=(13,),
    train_images=142,
    test_images=36,
    class_names=("grower 1", "grower 2", "grower 3"),
    target=Text(en="the grower", zh="酒庄"),
    source="https://archive.ics.uci.edu/dataset/109/wine",
    citation="S. Aeberhard, M. Forina: Wine (1992).",
    licence=_UCI,
    licence_url=_CC_BY,
    file="wine.csv",
    sha256="2fd304218400ef598804c8e352a9a30b5648a96f28a62f27b66b436aa61b7c75",
)

IRIS = Dataset(
    key="iris",
    area="table",
    label=Text(en="Iris flowers", zh="鸢尾花"),
    note=Text(
        en="150 flowers, four lengths in cm each: which of three species?",
        zh="150 朵花，每朵 4 个长度（厘米）：属于三个品种中的哪一个？",
    ),
    kind="table",
    task="classes",
    shape=(4,),
    train_images=120,
    test_images=30,
    class_names=("setosa", "versicolor", "virginica"),
    target=Text(en="the species", zh="品种"),
    source="https://archive.ics.uci.edu/dataset/53/iris",
    citation="R. Fisher: The use of multiple measurements in taxonomic problems. Annals of Eugenics 7 (1936).",
    licence=_UCI,
    licence_url=_CC_BY,
    file="iris.csv",
    sha256="f7fac79ad999fd2d001fd012dd70c0f42c738a7e7cfb7069e71371b55c29341e",
)

DIABETES = Dataset(
    key="diabetes",
    area="table",
    label=Text(en="Diabetes after a year", zh="糖尿病一年后进展"),
    note=Text(
        en="442 patients, ten measurements each: how far does the disease advance in a year (a number)?",
        zh="442 名患者，每人 10 项测量值：一年后病情进展多少（数值）？",
    ),
    kind="table",
    task="number",
    shape=(10,),
    train_images=353,
    test_images=89,
    class_names=(),
    target=Text(en="progression", zh="病情进展"),
    source="https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html",
    citation="B. Efron, T. Hastie, I. Johnstone, R. Tibshirani: Least angle regression. "
    "Annals of Statistics 32 (2004) 407-499.",
    licence=Text(
        en="published with the article; BSD 3-clause as shipped by scikit-learn",
        zh="随论文发布；按 scikit-learn 的 BSD 三条款许可分发",
    ),
    licence_url="https://github.com/scikit-learn/scikit-learn/blob/main/COPYING",
    file="diabetes.csv",
    sha256="5e5e152ba9fdc50847dafa6c640829829e151be622dfa7567bbd4da2d651d3e0",
)

DATASETS = {
    data.key: data
    for data in (MNIST, FASHION, DIGITS, REVIEWS, VOWELS, RATINGS, BREAST_CANCER, WINE, IRIS, DIABETES)
}
"""The shipped data sets by key, area by area."""
