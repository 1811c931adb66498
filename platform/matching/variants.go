package matching

import "strings"

// The tables say which characters are variants of each other. Each word is a group whose first member is the
// usual form. They hold the old forms (旧字体) that the list of characters for general use (常用漢字表, Cabinet
// notice 2 of 2010) and the list for names (戸籍法施行規則別表第二) give beside the new ones, and variants that are
// common in names of people and places. Where one new form has taken the place of several old ones (弁 of 辨,
// 瓣 and 辯) all are told as old forms: a person decides.

const oldFormGroups = `亜亞 悪惡 圧壓 囲圍 為爲 医醫 壱壹 稲稻 飲飮 隠隱 営營 栄榮 衛衞 駅驛 悦悅 閲閱 円圓 縁緣 塩鹽 艶艷
応應 欧歐 殴毆 奥奧 横橫 桜櫻 温溫 穏穩 仮假 価價 画畫 会會 絵繪 壊壞 懐懷 概槪 拡擴 殻殼 覚覺 学學
岳嶽 楽樂 渇渴 缶罐 巻卷 陥陷 勧勸 寛寬 関關 歓歡 観觀 顔顏 気氣 帰歸 偽僞 戯戲 犠犧 旧舊 拠據 挙擧
虚虛 峡峽 挟挾 狭狹 郷鄕 暁曉 教敎 強强 区區 駆驅 勲勳 薫薰 径徑 茎莖 恵惠 掲揭 渓溪 経經 蛍螢 軽輕
継繼 鶏鷄 芸藝 撃擊 欠缺 研硏 県縣 倹儉 剣劍劔劒剱釼 険險 圏圈 検檢 献獻 権權 顕顯 験驗 厳嚴 戸戶
効效 広廣 恒恆 黄黃 鉱鑛 号號 国國 黒黑 済濟 砕碎 斎齋 剤劑 雑雜 参參 桟棧 蚕蠶 惨慘 産產 賛贊 残殘
糸絲 歯齒 児兒 辞辭 湿濕 実實 写寫 釈釋 寿壽 収收 従從 渋澁 獣獸 縦縱 粛肅 処處 緒緖 叙敍 将將 称稱
渉涉 焼燒 証證 奨奬 条條 状狀 乗乘 浄淨 剰剩 畳疊 縄繩 壌壤 嬢孃 譲讓 醸釀 触觸 嘱囑 真眞 寝寢 慎愼
尽盡 図圖 粋粹 酔醉 穂穗 随隨 髄髓 枢樞 数數 瀬瀨 声聲 青靑 斉齊 清淸 静靜 税稅 窃竊 摂攝 説說 専專
戦戰 浅淺 銭錢 潜潛 践踐 繊纖 禅禪 双雙 壮壯 争爭 荘莊 捜搜 挿插 巣巢 装裝 総總 騒騷 増增 蔵藏 臓臟
即卽 属屬 続續 堕墮 対對 体體 帯帶 滞滯 台臺 滝瀧 択擇 沢澤 担擔 単單 胆膽 団團 断斷 弾彈 遅遲 痴癡
虫蟲 昼晝 鋳鑄 庁廳 徴徵 聴聽 勅敕 鎮鎭 逓遞 鉄鐵 点點 転轉 伝傳 灯燈 当當 党黨 盗盜 闘鬪 徳德 独獨
読讀 届屆 弐貳 悩惱 脳腦 覇霸 拝拜 売賣 麦麥 発發 髪髮 抜拔 晩晚 蛮蠻 秘祕 浜濱 瓶甁 払拂 仏佛 並竝
併倂 餅餠 辺邊邉 変變 弁辨瓣辯 歩步 舗舖 宝寶 豊豐 褒襃 翻飜 毎每 万萬 満滿 麺麵 黙默 訳譯 薬藥 与與
予豫 余餘 誉譽 揺搖 様樣 謡謠 来來 頼賴 乱亂 覧覽 竜龍 両兩 猟獵 緑綠 涙淚 塁壘 礼禮 励勵 戻戾 霊靈
齢齡 暦曆 歴歷 恋戀 錬鍊 炉爐 労勞 郎郞 楼樓 録錄 湾灣 亘亙 尭堯 巌巖 晃晄 桧檜 槙槇 祷禱 禄祿 穣穰
萌萠 遥遙 凛凜 曽曾 瑶瑤 弥彌`

const variantGroups = `高髙 崎﨑碕嵜 吉𠮷 土𡈽圡 富冨 島嶋嶌嶹 峰峯 浜濵 桑桒 柳栁桺 館舘 兎兔 淵渕渊 嶺岺 野埜 船舩 松枩
橋槗 喜㐂 美羙 梅楳 鉄銕 秋穐 窓窻 籠篭 藪薮 鯵鰺 鴎鷗 蝋蠟 祇祗 梼檮 砺礪 莱萊 諌諫 賎賤 迩邇 頚頸
麹麴 昇昻 群羣 礒磯 国圀 爾尓 梁樑 侠俠 繋繫 掴摑 填塡 頬頰 剥剝 叱𠮟 嘘噓 噛嚙 焔焰 醤醬 攪撹 壷壺
鶴靏靍 鰯鰮 禰祢 煕熙凞 晋晉 閑閒 栃杤 亀龜 冲沖 凉涼 準凖 決决 減减 況况 盃杯`

// lookalikes are characters that are mixed up although they are none of each other's variants.
const lookalikes = `斎斉 大太犬 未末 土士 己已巳 崎埼 荻萩 菅管 徹撤 千干 瓜爪 博愽 渕測 柿杮`

var (
	oldToNew       = strings.NewReplacer(pairs(oldFormGroups)...)
	variantToUsual = strings.NewReplacer(pairs(variantGroups)...)
)

// pairs gives what strings.NewReplacer takes: of each group every further member, and the first.
func pairs(groups string) (all []string) {
	for _, g := range strings.Fields(groups) {
		first := ""
		for _, r := range g {
			switch {
			case first == "":
				first = string(r)
			case string(r) != first:
				all = append(all, string(r), first)
			}
		}
	}
	return all
}
