package people

// name is a surname or given name with its reading in kana and romaji.
type name struct{ text, kana, romaji string }

// Every surname is invented and shows by 例, 試, 仮, 架 or 見本 that it is a sample.
var surnames = []name{
	{"例川", "レイカワ", "Reikawa"}, {"例沢", "レイザワ", "Reizawa"}, {"例山", "レイヤマ", "Reiyama"}, {"例本", "レイモト", "Reimoto"},
	{"例森", "レイモリ", "Reimori"}, {"例坂", "レイサカ", "Reisaka"}, {"試野", "タメシノ", "Tameshino"}, {"試沢", "タメシザワ", "Tameshizawa"},
	{"試橋", "タメシバシ", "Tameshibashi"}, {"試原", "タメシハラ", "Tameshihara"}, {"試井", "タメシイ", "Tameshii"}, {"仮森", "カリモリ", "Karimori"},
	{"仮浜", "カリハマ", "Karihama"}, {"仮峰", "カリミネ", "Karimine"}, {"仮橋", "カリバシ", "Karibashi"}, {"架原", "カケハラ", "Kakehara"},
	{"架森", "カケモリ", "Kakemori"}, {"架坂", "カケサカ", "Kakesaka"}, {"架空沢", "カクウザワ", "Kakuzawa"}, {"見本沢", "ミホンザワ", "Mihonzawa"},
	{"見本野", "ミホンノ", "Mihonno"}, {"見本橋", "ミホンバシ", "Mihonbashi"}, {"小見本", "コミホン", "Komihon"}, {"西例", "ニシレイ", "Nishirei"},
	{"東試", "ヒガシタメシ", "Higashitameshi"}, {"北架", "キタカケ", "Kitakake"},
}

// Surnames with letters that need care: 髙 and 﨑 are variants outside JIS levels 1 and 2 that
// NEC and IBM vendor sets hold; 𠮷 is U+20BB7, outside the Basic Multilingual Plane.
var (
	variantTaka = name{"髙例", "タカレイ", "Takarei"}
	variantSaki = name{"試﨑", "タメシザキ", "Tameshizaki"}
	outsideJIS  = name{"𠮷見本", "ヨシミホン", "Yoshimihon"}
)

var maleNames = []name{
	{"太郎", "タロウ", "Taro"}, {"一郎", "イチロウ", "Ichiro"}, {"健太", "ケンタ", "Kenta"}, {"大輔", "ダイスケ", "Daisuke"}, {"蓮", "レン", "Ren"},
	{"陽翔", "ハルト", "Haruto"}, {"悠真", "ユウマ", "Yuma"}, {"誠", "マコト", "Makoto"}, {"修", "オサム", "Osamu"}, {"進", "ススム", "Susumu"},
	{"拓海", "タクミ", "Takumi"}, {"翔", "ショウ", "Sho"}, {"茂", "シゲル", "Shigeru"}, {"直樹", "ナオキ", "Naoki"}, {"浩二", "コウジ", "Koji"},
	{"勇", "イサム", "Isamu"}, {"湊", "ミナト", "Minato"}, {"律", "リツ", "Ritsu"}, {"清", "キヨシ", "Kiyoshi"}, {"航", "ワタル", "Wataru"},
}

var femaleNames = []name{
	{"花子", "ハナコ", "Hanako"}, {"美咲", "ミサキ", "Misaki"}, {"陽子", "ヨウコ", "Yoko"}, {"恵", "メグミ", "Megumi"}, {"さくら", "サクラ", "Sakura"},
	{"結衣", "ユイ", "Yui"}, {"千代", "チヨ", "Chiyo"}, {"和子", "カズコ", "Kazuko"}, {"文", "フミ", "Fumi"}, {"葵", "アオイ", "Aoi"},
	{"凛", "リン", "Rin"}, {"真由", "マユ", "Mayu"}, {"由美", "ユミ", "Yumi"}, {"静", "シズカ", "Shizuka"}, {"紬", "ツムギ", "Tsumugi"},
	{"節子", "セツコ", "Setsuko"}, {"彩", "アヤ", "Aya"}, {"直美", "ナオミ", "Naomi"}, {"光", "ヒカリ", "Hikari"}, {"桃子", "モモコ", "Momoko"},
}

func prefectures() []Prefecture {
	return []Prefecture{
		{"91", "雲居県", "クモイケン", "Kumoi-ken"},
		{"92", "潮騒県", "シオサイケン", "Shiosai-ken"},
		{"93", "木霊県", "コダマケン", "Kodama-ken"},
	}
}

func municipalities() []Municipality {
	return []Municipality{
		{"91201", "朝霧野市", "アサギリノシ", "Asagirino-shi", []string{"月待台", "風見丘", "石灯町", "貝寄町", "雲梯通"}},
		{"91302", "星拾町", "ホシヒロイチョウ", "Hoshihiroi-cho", []string{"笛吹台", "水鏡", "鈴掛坂"}},
		{"92201", "帆待市", "ホマチシ", "Homachi-shi", []string{"波音町", "灯守台", "海鳴通", "千鳥掛"}},
		{"93301", "草笛村", "クサブエムラ", "Kusabue-mura", []string{"木洩沢", "霜柱", "山彦台"}},
	}
}
